//! `tidegate`: turns streams of JSON messages into a typed, live GraphQL API over a time-series store.
//!
//! Wiring only: [`cli`] says what was asked, [`config`] how it is set up, [`serve`] runs a node, [`commands`] talk to one
//! over HTTP, or look at its folder.

mod cli;
mod commands;
mod config;
mod demo;
mod serve;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, ConfigCommand};
use serve::Role;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        None => serve::run(&cli.serve, Role::All),
        Some(Command::Ingest(place)) => serve::run(&cli.serve.at(place), Role::Ingest),
        Some(Command::Gateway(place)) => serve::run(&cli.serve.at(place), Role::Gateway),
        Some(Command::Ready(args)) => commands::ready::run(args),
        Some(Command::Publish(args)) => commands::publish::run(args),
        Some(Command::Query(args)) => commands::query::run(args),
        Some(Command::Token(args)) => commands::token::run(args),
        Some(Command::Page(args)) => commands::page::run(args),
        Some(Command::Streams(args)) => commands::streams::run(args),
        Some(Command::DeadLetters { command }) => commands::dead_letters::run(command),
        Some(Command::Keys { command }) => commands::keys::run(command),
        Some(Command::Issuer { command }) => commands::issuer::run(command),
        Some(Command::Clients { command }) => commands::clients::run(command),
        Some(Command::Revoke(args)) => commands::revoke::run(args),
        Some(Command::Tail(args)) => commands::tail::run(args),
        Some(Command::Doctor(args)) => commands::doctor::run(args, cli.serve.config.as_deref()),
        Some(Command::Migrate(args)) => commands::migrate::run(args, cli.serve.config.as_deref()),
        Some(Command::Config { command: ConfigCommand::Check }) => commands::config::check(&cli.serve),
        Some(Command::Config { command: ConfigCommand::Reference }) => commands::config::reference(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            commands::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

//! The tests, a file a subject.

mod bad_input;
mod bodies;
mod commands;
mod cql;
mod damage;
mod dead_letters;
mod deploy;
mod disk;
mod kills;
mod learning;
mod limits;
mod live;
mod own_data;
mod page;
mod read_only;
mod readme;
mod refusals;
mod restart;
mod samples;
mod sign_in;
mod single;
mod slow;
mod stopping;
mod trace;
mod watching;
mod ways_in;

//! A store that is reached by `store.url`: each setting by itself, in the order in which opening the store meets them.

mod agreement;
#[cfg(test)]
mod tests;

use std::path::Path;

use schema::Timestamp;
use store::scylla::{Answering, Cluster, Contents, Examined, Keyspace, Refusal, examine, migrate};

use super::Report;
use crate::config::{Config, StoreSettings};
use crate::serve;

/// A certificate that ends sooner is told of, in microseconds: 30 days.
const SOON: i64 = 30 * 86_400 * 1_000_000;

/// What a node does that can't open its store.
const NO_START: &str =
    "A node does not start; one that runs keeps what it accepts in its log, and answers no query.";

/// Looks at the store; whether all is well.
pub(super) async fn run(config: &Config, data: &Path, report: &mut Report) -> bool {
    let (settings, before) = (&config.store, report.problems);
    let options = settings.cql();
    if let Err(error) = options.check() {
        report.problem("url", &error.to_string(), NO_START, "Mend the settings under [store].");
        return false;
    }
    report.fine("url", &format!("{} can be read", settings.url));
    let password = match settings.password() {
        Ok(password) => password,
        Err(error) => {
            report.problem(
                "login",
                &error,
                NO_START,
                "Set both settings, and the variable where the node runs.",
            );
            return false;
        }
    };
    match examine(&options, &password).await {
        Err(error) => report.problem(
            "tls",
            &error.to_string(),
            NO_START,
            "Mend the setting, or the file that it names.",
        ),
        Ok(seen) => {
            let id = serve::store::log_id(config, data);
            tell(settings, &seen, id.as_deref(), serve::now(), report);
        }
    }
    report.problems == before
}

/// All that was seen, as sentences.
fn tell(
    settings: &StoreSettings,
    seen: &Examined,
    log_id: Option<&str>,
    now: Timestamp,
    report: &mut Report,
) {
    hosts(&seen.hosts, report);
    let Some(cluster) = &seen.cluster else { return };
    tls(settings, &seen.hosts, now, report);
    match cluster {
        Err(Refusal::Login(why)) => report.problem(
            "login",
            why,
            NO_START,
            "Set store.user and store.password_env to a role of the servers that may log in: `LIST ROLES` in cqlsh shows them.",
        ),
        Err(Refusal::Other(why)) => report.problem("cluster", why, NO_START, "See to the servers' own logs."),
        Ok(cluster) => {
            match settings.user.as_str() {
                "" => report.fine("login", "nobody is asked who they are"),
                user => report.fine("login", &format!("{user} logs in")),
            }
            self::cluster(settings, cluster, log_id, report);
        }
    }
}

fn hosts(hosts: &[(String, Result<Answering, String>)], report: &mut Report) {
    let means = match hosts.iter().any(|(_, found)| found.is_ok()) {
        true => "A node starts by the hosts that do answer; each that does not is one less to begin with.",
        false => NO_START,
    };
    for (host, found) in hosts {
        match found {
            Ok(found) => report.fine("host", &format!("{host} answers, at {}", found.address)),
            Err(why) => report.problem(
                "host",
                &format!("{host}: {why}"),
                means,
                "Do what the sentence above says, or start that server; if it is gone for good, take it out of store.url.",
            ),
        }
    }
}

fn tls(
    settings: &StoreSettings,
    hosts: &[(String, Result<Answering, String>)],
    now: Timestamp,
    report: &mut Report,
) {
    if !settings.tls {
        return report.fine("tls", "off: whoever is on the way to the servers can read what goes there");
    }
    let ends = hosts.iter().filter_map(|(host, found)| Some((found.as_ref().ok()?.certificate_until?, host)));
    match ends.min() {
        Some((until, host)) if until.0 < now.0.saturating_add(SOON) => report.problem(
            "tls",
            &format!("the certificate of {host} ends at {until}"),
            "Once it has, no connection is made any more.",
            "Have the server show a new one; a node needs nothing but connections made after that.",
        ),
        Some((until, host)) => {
            report.fine("tls", &format!("on; the first certificate to end is {host}'s, at {until}"));
        }
        None => report.fine("tls", "on"),
    }
}

fn cluster(settings: &StoreSettings, cluster: &Cluster, log_id: Option<&str>, report: &mut Report) {
    let nodes = cluster
        .datacenters
        .iter()
        .map(|(name, nodes)| format!("{name} with {} of {} nodes up", nodes.up, nodes.all));
    let nodes = nodes.collect::<Vec<_>>().join(", ");
    match &cluster.datacenter {
        Ok(()) => report.fine("cluster", &format!("{}: {nodes}", cluster.server)),
        Err(why) => {
            report.problem("cluster", why, NO_START, &format!("Choose among what is there: {nodes}."));
        }
    }
    match &cluster.keyspace {
        Err(why) => report.problem("keyspace", why, NO_START, "See to the servers' own logs."),
        Ok(None) => report.problem(
            "keyspace",
            &format!("that of {} is not there", settings.url),
            NO_START,
            "Mend its name in store.url; if it is the right one, `tidegate migrate` makes it.",
        ),
        Ok(Some(keyspace)) => {
            // Where the datacenter is none of theirs, there is nowhere to agree.
            if cluster.datacenter.is_ok() {
                agreement::tell(settings, cluster, keyspace, report);
            }
            contents(keyspace, log_id, report);
        }
    }
}

fn contents(keyspace: &Keyspace, log_id: Option<&str>, report: &mut Report) {
    let Contents { version, log, round_trip } = match &keyspace.contents {
        Ok(contents) => contents,
        Err(why) => {
            return report.problem(
                "read",
                why,
                NO_START,
                "Start the nodes that are down; where the servers check what a role may do, give it SELECT and MODIFY on the keyspace.",
            );
        }
    };
    let written_for = migrate::VERSION;
    let versions =
        format!("version {version} is there, and this binary runs on {written_for} and {}", written_for + 1);
    if *version < written_for {
        report.problem("schema", &versions, NO_START, "Run `tidegate migrate` with this binary.");
    } else if *version > written_for + 1 {
        report.problem("schema", &versions, NO_START, "Run a newer binary, whose schema that is.");
    } else {
        report.fine("schema", &versions);
    }
    if *version == 0 {
        return;
    }
    report
        .fine("read", &format!("a small one takes {:.1} ms there and back", round_trip.as_secs_f64() * 1e3));
    match (log, log_id) {
        (None, _) => report.fine("log-id", "no log feeds the keyspace yet"),
        (Some(there), Some(here)) if there == here => report.fine("log-id", "this folder's log feeds the keyspace"),
        (Some(_), here) => report.problem(
            "log-id",
            match here {
                Some(_) => "another log than this node's feeds the keyspace",
                None => "a log feeds the keyspace, and this folder has no log-id: it is not that log's",
            },
            "A node does not start with this folder: it would number its messages anew, over those that are there.",
            "Start with the folder whose log it is, or name another keyspace in store.url.",
        ),
    }
}

//! `store.url` taken apart: hosts to begin with, and the keyspace.

use std::fmt::{Display, Formatter, Result as Written};
use std::net::Ipv6Addr;

/// The port of CQL, where a host names none.
const PORT: u16 = 9042;
/// Longest name of a keyspace that the servers take, in bytes.
const KEYSPACE_MAX: usize = 48;

/// What a URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) hosts: Vec<Host>,
    pub(super) keyspace: String,
}

/// A server to begin with: it tells of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// A name, or an address without brackets.
    pub(super) name: String,
    pub(super) port: u16,
}

impl Display for Host {
    fn fmt(&self, to: &mut Formatter<'_>) -> Written {
        match self.name.contains(':') {
            true => write!(to, "[{}]:{}", self.name, self.port),
            false => write!(to, "{}:{}", self.name, self.port),
        }
    }
}

impl Place {
    /// Takes `scylla://HOST:PORT,HOST:PORT/KEYSPACE` apart, or says what of it is wrong.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("scylla://").ok_or("no scylla://")?;
        let (named, keyspace) = rest.split_once('/').ok_or("no keyspace")?;
        let mut hosts: Vec<Host> = Vec::new();
        for text in named.split(',') {
            let host = host(text).map_err(|what| format!("{what} ({text:?})"))?;
            if hosts.contains(&host) {
                return Err(format!("the same host twice ({host})"));
            }
            hosts.push(host);
        }
        let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let is_sound = keyspace.starts_with(|c: char| c.is_ascii_lowercase())
            && keyspace.len() <= KEYSPACE_MAX
            && keyspace.bytes().all(is_name);
        if !is_sound {
            return Err(format!(
                "a keyspace that is not of a-z, 0-9 and _, a letter first, at most {KEYSPACE_MAX} of them"
            ));
        }
        Ok(Self { hosts, keyspace: keyspace.to_owned() })
    }

    /// All hosts, as in the URL.
    pub(super) fn listed(&self) -> String {
        self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(",")
    }
}

fn host(text: &str) -> Result<Host, &'static str> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or("an IPv6 address without its ]")?;
            address.parse::<Ipv6Addr>().map_err(|_| "no IPv6 address between [ and ]")?;
            let port = if after.is_empty() { None } else { after.strip_prefix(':').or(Some("")) };
            (address, port)
        }
        None if text.contains('@') => return Err("a user in a host, which store.user is for"),
        None if text.matches(':').count() > 1 => return Err("an IPv6 address that is not in [ ]"),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b':');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("a host that is none");
    }
    let port = port.map_or(Ok(PORT), str::parse).ok().filter(|port| *port > 0);
    Ok(Host { name: name.to_owned(), port: port.ok_or("a port that is not 1 to 65535")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_a_keyspace_are_found() {
        for (url, expect) in [
            ("scylla://a:19042,b/tide_gate", "a:19042,b:9042"),
            ("scylla://10.0.0.1/k", "10.0.0.1:9042"),
            ("scylla://[::1]:9043/k", "[::1]:9043"),
            ("scylla://[2001:db8::7],db-1.example/k", "[2001:db8::7]:9042,db-1.example:9042"),
            ("scylla://a:1,a:2/k", "a:1,a:2"),
        ] {
            assert_eq!(Place::of(url).unwrap().listed(), expect, "{url}");
        }
        assert_eq!(Place::of("scylla://a/tide_gate").unwrap().keyspace, "tide_gate");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, expect) in [
            ("cassandra://a/k", "no scylla://"),
            ("scylla://a", "no keyspace"),
            ("scylla:///k", "a host that is none (\"\")"),
            ("scylla://a,,b/k", "a host that is none (\"\")"),
            ("scylla://a b/k", "a host that is none (\"a b\")"),
            ("scylla://user:pass@a/k", "store.user"),
            ("scylla://::1/k", "not in [ ]"),
            ("scylla://::1:9042/k", "not in [ ]"),
            ("scylla://[::1/k", "without its ]"),
            ("scylla://[a]:9042/k", "no IPv6 address"),
            ("scylla://[::1]9042/k", "a port that is not 1 to 65535"),
            ("scylla://a:/k", "a port that is not 1 to 65535 (\"a:\")"),
            ("scylla://a:0/k", "a port that is not 1 to 65535"),
            ("scylla://a:65536/k", "a port that is not 1 to 65535"),
            ("scylla://a:cql/k", "a port that is not 1 to 65535"),
            ("scylla://a,a:9042/k", "the same host twice (a:9042)"),
            ("scylla://a/K", "a keyspace that is not"),
            ("scylla://a/", "a keyspace that is not"),
            ("scylla://a/k; DROP", "a keyspace that is not"),
        ] {
            let error = Place::of(url).unwrap_err();
            assert!(error.contains(expect), "{url}: {error}");
        }
    }
}

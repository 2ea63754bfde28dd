//! Whose address it is, where proxies stand before this server.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Something that is no proxy's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server.proxies has {0:?}: expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8")]
pub struct InvalidProxy(String);

/// Proxies that are believed when they say whom a request is of.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// These addresses and networks.
    ///
    /// # Errors
    /// [`InvalidProxy`] names what is none.
    pub fn new(listed: &[String]) -> Result<Self, InvalidProxy> {
        let parse = |text: &String| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| InvalidProxy(text.clone()))
        };
        listed.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whose a request is that `peer` sent. Each proxy adds at the right whom it heard it from, so what is left of the first address
    /// that is no proxy's could be anybody's invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter();
        let mut said: Vec<&str> = lines.flat_map(|line| line.to_str().unwrap_or("?").split(',')).collect();
        while self.are(client) {
            let Some(before) = said.pop().and_then(address) else { break };
            client = before;
        }
        client
    }

    fn are(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxys_counts() {
        let listed = ["10.0.0.0/8", "192.168.0.7", "fd00::/8"].map(ToOwned::to_owned);
        let proxies = Proxies::new(&listed).unwrap();
        for (peer, said, expect) in [
            ("203.0.113.9", vec![], "203.0.113.9"),
            ("203.0.113.9", vec!["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.7", vec![], "10.0.0.7"),
            ("10.0.0.7", vec!["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.7", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.7", vec!["1.1.1.1, 198.51.100.1, 192.168.0.7"], "198.51.100.1"),
            ("10.0.0.7", vec!["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.7", vec!["1.1.1.1", "198.51.100.1,10.1.1.1"], "198.51.100.1"),
            ("10.0.0.7", vec!["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            ("10.0.0.7", vec!["1.1.1.1, nonsense, 10.1.1.1"], "10.1.1.1"),
            ("10.0.0.7", vec!["1.1.1.1, "], "10.0.0.7"),
            ("fd00::1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", vec!["[2001:db8::1]"], "2001:db8::1"),
            ("fd00::1", vec!["198.51.100.1:80"], "198.51.100.1"),
            ("192.168.0.8", vec!["198.51.100.1"], "192.168.0.8"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &said {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            let client = proxies.client(peer.parse().unwrap(), &headers);
            assert_eq!(client, expect.parse::<IpAddr>().unwrap(), "{peer} {said:?}");
        }
        for wrong in ["", "proxy.example", "10.0.0.0/33", "10.0.0.1:80"] {
            let error = Proxies::new(&["10.0.0.1".into(), wrong.into()]).unwrap_err();
            assert_eq!(error, InvalidProxy(wrong.into()));
        }
    }
}

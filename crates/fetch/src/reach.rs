//! Which addresses may be reached: an address that somebody typed into a form must not lead into
//! the network of the server.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpStream;

/// What may be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything: the address stands in a file of the machine's owner.
    Anywhere,
    /// What everybody can reach, and these networks.
    Public { and: Vec<Network> },
}

/// Addresses that begin alike, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network, such as 10.0.0.0/8, 192.168.7.20 or fd00::/8")]
pub struct NetworkError(String);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    #[error("no connection to {host}:{port}")]
    Connect { host: String, port: u16, source: io::Error },
    #[error("{host} is {address}, {kind}, which is not allowed")]
    Refused { host: String, address: IpAddr, kind: &'static str },
}

/// Networks that are not everybody's, and what they are.
static INTERNAL: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this machine"),
    ("10.0.0.0/8", "an internal address"),
    ("100.64.0.0/10", "an internal address"),
    ("127.0.0.0/8", "this machine"),
    ("169.254.0.0/16", "a link-local address"),
    ("172.16.0.0/12", "an internal address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.168.0.0/16", "an internal address"),
    ("198.18.0.0/15", "an internal address"),
    ("224.0.0.0/4", "a group of machines"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/127", "this machine"),
    ("100::/64", "a reserved address"),
    ("fc00::/7", "an internal address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "an internal address"),
    ("ff00::/8", "a group of machines"),
];

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let different = a.to_bits() ^ b.to_bits();
                different.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let different = a.to_bits() ^ b.to_bits();
                different.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl Reach {
    /// What speaks against an address.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let Self::Public { and } = self else { return None };
        // An address in disguise is what it leads to.
        let forms = [Some(address), carried(address).map(IpAddr::V4)];
        forms.into_iter().flatten().find_map(|form| {
            if and.iter().any(|network| network.contains(form)) {
                return None;
            }
            INTERNAL.iter().find_map(|(network, kind)| {
                let network: Network = network.parse().ok()?;
                network.contains(form).then_some(*kind)
            })
        })
    }

    /// Connects to the first of a name's addresses that is allowed and answers. The address that
    /// was judged is the one that is connected to.
    ///
    /// # Errors
    /// None of the addresses is allowed, or none answers.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, ReachError> {
        let allowed = self.resolve(host, port).await?;
        let failed = |source| ReachError::Connect { host: host.to_owned(), port, source };
        let socket = first(&allowed).await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        Ok(socket)
    }

    /// The addresses of a name that are allowed.
    ///
    /// # Errors
    /// The name has no address, or none that is allowed.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ReachError> {
        let failed = |source| ReachError::Connect { host: host.to_owned(), port, source };
        let found = tokio::net::lookup_host((host, port)).await.map_err(failed)?;
        let (mut refused, mut allowed) = (None, Vec::new());
        for address in found.take(Self::MAX_ADDRESSES) {
            match self.refuses(address.ip()) {
                Some(kind) => refused = Some((address.ip(), kind)),
                None => allowed.push(address),
            }
        }
        match (refused, &allowed[..]) {
            (Some((address, kind)), []) => {
                Err(ReachError::Refused { host: host.to_owned(), address, kind })
            }
            _ => Ok(allowed),
        }
    }

    /// A name that has more is none that we want to try one by one.
    const MAX_ADDRESSES: usize = 16;
}

async fn first(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The older address that one of the newer kind leads to: mapped, by NAT64 or by 6to4.
fn carried(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let bits = address.to_bits();
    let in_network =
        |network: Ipv6Addr, width: u32| (bits ^ network.to_bits()) >> (128 - width) == 0;
    let low = || Some(Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).ok()?));
    if in_network(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96)
        || in_network(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96)
        || (in_network(Ipv6Addr::UNSPECIFIED, 96) && bits > 1)
    {
        return low();
    }
    if in_network(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16) {
        return Some(Ipv4Addr::from_bits(u32::try_from((bits >> 80) & 0xffff_ffff).ok()?));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(and: &[&str], address: &str) -> Option<&'static str> {
        let and = and.iter().map(|network| network.parse().unwrap()).collect();
        Reach::Public { and }.refuses(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_inside_are_refused() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(refuses(&[], address).is_some(), "{address}");
            assert_eq!(Reach::Anywhere.refuses(address.parse().unwrap()), None);
        }
    }

    #[test]
    fn addresses_of_everybody_are_allowed() {
        for address in ["1.1.1.1", "172.15.0.1", "172.32.0.1", "9.255.255.255", "2606:4700::1111"] {
            assert_eq!(refuses(&[], address), None, "{address}");
        }
    }

    #[test]
    fn a_network_that_is_named_is_allowed_and_no_other() {
        let and = ["10.1.0.0/16", "127.0.0.1", "fd00:7::/32"];
        for address in ["10.1.255.255", "127.0.0.1", "fd00:7::1"] {
            assert_eq!(refuses(&and, address), None, "{address}");
        }
        for address in ["10.2.0.0", "127.0.0.2", "fd00:8::1"] {
            assert!(refuses(&and, address).is_some(), "{address}");
        }
        assert_eq!(refuses(&["0.0.0.0/0", "::/0"], "169.254.169.254"), None);
    }

    #[test]
    fn what_is_no_network_is_said() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "a/8", "::/129", "10.0.0.0/-1"] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is no network")));
        }
    }
}

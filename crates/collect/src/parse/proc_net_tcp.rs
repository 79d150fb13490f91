//! `/proc/net/tcp`, `tcp6`, `udp` and `udp6`: the sockets, one a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ParseError;
use super::fields::{Line, lines, number};
use super::inet_diag::state_of;
use crate::readings::{Socket, Transport};

const ADDRESS: &str = "an address and a port in hexadecimal digits";

/// Hands on each socket.
///
/// # Errors
/// A line behind the heading that is no socket.
pub fn parse(
    text: &[u8],
    transport: Transport,
    mut each: impl FnMut(Socket),
) -> Result<(), ParseError> {
    for line in lines(text).filter(|line| line.number > 1) {
        each(socket(line, transport)?);
    }
    Ok(())
}

fn socket(line: Line<'_>, transport: Transport) -> Result<Socket, ParseError> {
    let mut words = line.words();
    words.word("a number and a colon")?;
    let local = address(words.word(ADDRESS)?).ok_or_else(|| line.error(ADDRESS))?;
    let remote = address(words.word(ADDRESS)?).ok_or_else(|| line.error(ADDRESS))?;
    let state = words.word("a state")?;
    let state = hex(state)
        .and_then(|state| state_of(u8::try_from(state).ok()?))
        .ok_or_else(|| line.error("a state"))?;
    for _ in 0..5 {
        words.word("queues, timers and the user")?;
    }
    let owner = words.word("an inode")?;
    let owner = number(owner).ok_or_else(|| line.error("an inode"))?;
    Ok(Socket { transport, state, local, remote, owner, traffic: None })
}

/// `0100007F:1D97`: groups of four bytes, each in the byte order of the machine.
fn address(word: &[u8]) -> Option<SocketAddr> {
    let colon = word.iter().position(|b| *b == b':')?;
    let (digits, port) = (&word[..colon], &word[colon + 1..]);
    let port = u16::try_from(hex(port)?).ok()?;
    let ip: IpAddr = match digits.len() {
        8 => Ipv4Addr::from(hex(digits)?.to_ne_bytes()).into(),
        32 => {
            let mut bytes = [0; 16];
            for (group, place) in digits.chunks(8).zip(bytes.chunks_mut(4)) {
                place.copy_from_slice(&hex(group)?.to_ne_bytes());
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(sum.checked_mul(16)? + digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::readings::TcpState;

    const TEXT: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1D97 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41 1 x
   1: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF00000200007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 42
";

    fn sockets(text: &str) -> Result<Vec<Socket>, ParseError> {
        let mut found = Vec::new();
        parse(text.as_bytes(), Transport::Tcp, |socket| found.push(socket))?;
        Ok(found)
    }

    #[test]
    fn both_families_are_read() {
        let found = sockets(TEXT).unwrap();
        let brief: Vec<_> = found
            .iter()
            .map(|s| (s.local.to_string(), s.remote.port(), s.state, s.owner))
            .collect();
        let expect = [
            ("127.0.0.1:7575".to_owned(), 0, TcpState::Listen, 41),
            ("[::ffff:127.0.0.1]:22".to_owned(), 0xC001, TcpState::Established, 42),
        ];
        assert_eq!(brief, expect);
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = |from: &str, to: &str| sockets(&TEXT.replace(from, to)).unwrap_err();
        let error = broken("1D97", "1D97F");
        assert_eq!((error.line, error.expected), (2, ADDRESS));
        assert_eq!(broken(" 0A ", " FF ").expected, "a state");
        assert_eq!(broken(" 42\n", "\n").expected, "an inode");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(head\n)?([0-9A-F:]{0,40} ?){0,14}") {
            sockets(&text).ok();
        }
    }
}

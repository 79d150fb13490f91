//! What TCP and UDP have counted: `/proc/net/snmp`, where a line of names is followed by a line of
//! values, and `/proc/net/snmp6`, one name and value a line.

use super::ParseError;
use super::fields::{lines, number};
use crate::readings::{TcpTotals, TcpUdp, UdpTotals};

/// Reads `/proc/net/snmp`, which counts TCP for both families and UDP for IPv4.
///
/// # Errors
/// A value that is no number, or names without values.
pub fn parse(text: &[u8], out: &mut TcpUdp) -> Result<(), ParseError> {
    let mut tcp = TcpTotals { family: "all", ..TcpTotals::default() };
    let mut udp = UdpTotals { family: "ipv4", ..UdpTotals::default() };
    let (mut has_tcp, mut has_udp) = (false, false);
    pairs(text, |section, name, value| {
        let place = match (section, name) {
            (b"Tcp:", name) => {
                has_tcp = true;
                tcp_place(&mut tcp, name)
            }
            (b"Udp:", name) => {
                has_udp = true;
                udp_place(&mut udp, name)
            }
            _ => None,
        };
        if let Some(place) = place {
            *place = value;
        }
    })?;
    out.tcp.extend(has_tcp.then_some(tcp));
    out.udp.extend(has_udp.then_some(udp));
    Ok(())
}

/// Reads `/proc/net/snmp6`, which counts UDP for IPv6.
///
/// # Errors
/// A line of UDP whose value is no number.
pub fn parse_snmp6(text: &[u8], out: &mut TcpUdp) -> Result<(), ParseError> {
    let mut udp = UdpTotals { family: "ipv6", ..UdpTotals::default() };
    let mut has_udp = false;
    for line in lines(text) {
        let mut words = line.words();
        let Some(name) = words.next().and_then(|word| word.strip_prefix(b"Udp6")) else { continue };
        if let Some(place) = udp_place(&mut udp, name) {
            has_udp = true;
            *place = words.number("a number of events")?;
        }
    }
    out.udp.extend(has_udp.then_some(udp));
    Ok(())
}

fn tcp_place<'a>(tcp: &'a mut TcpTotals, name: &[u8]) -> Option<&'a mut u64> {
    Some(match name {
        b"CurrEstab" => &mut tcp.established,
        b"ActiveOpens" => &mut tcp.active_opens,
        b"PassiveOpens" => &mut tcp.passive_opens,
        b"AttemptFails" => &mut tcp.failures,
        b"EstabResets" => &mut tcp.resets,
        b"InSegs" => &mut tcp.segments_received,
        b"OutSegs" => &mut tcp.segments_sent,
        b"RetransSegs" => &mut tcp.segments_retransmitted,
        b"InErrs" => &mut tcp.segment_errors,
        b"OutRsts" => &mut tcp.resets_sent,
        _ => return None,
    })
}

fn udp_place<'a>(udp: &'a mut UdpTotals, name: &[u8]) -> Option<&'a mut u64> {
    Some(match name {
        b"InDatagrams" => &mut udp.datagrams_received,
        b"OutDatagrams" => &mut udp.datagrams_sent,
        b"NoPorts" => &mut udp.no_port,
        b"InErrors" => &mut udp.errors,
        _ => return None,
    })
}

/// Hands on section, name and value of each total; values below zero, which mean "no limit", are
/// passed over.
fn pairs(text: &[u8], mut each: impl FnMut(&[u8], &[u8], u64)) -> Result<(), ParseError> {
    let mut lines = lines(text);
    while let Some(heading) = lines.next() {
        let mut names = heading.words();
        let section = names.word("a section's name")?;
        let without = "a line with the section's values below it";
        let line = lines.next().ok_or_else(|| heading.error(without))?;
        let mut values = line.words();
        if values.next() != Some(section) {
            return Err(heading.error(without));
        }
        while let Some(name) = names.next() {
            let word = values.word("as many values as names above")?;
            if !word.starts_with(b"-") {
                let value = number(word).ok_or_else(|| line.error("numbers of events"))?;
                each(section, name, value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SNMP: &str = "\
Ip: Forwarding DefaultTTL
Ip: 2 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 2810 1490 121 158 2 80364 65690 123 7 355 0
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors
Udp: 3901 5 6 3902 0
";

    fn snmp(text: &str) -> Result<TcpUdp, ParseError> {
        let mut out = TcpUdp::default();
        parse(text.as_bytes(), &mut out).map(|()| out)
    }

    #[test]
    fn totals_are_found_by_their_names() {
        let found = snmp(SNMP).unwrap();
        let tcp = found.tcp[0];
        assert_eq!((tcp.family, tcp.established, tcp.active_opens), ("all", 2, 2810));
        assert_eq!((tcp.segments_received, tcp.segments_sent), (80364, 65690));
        assert_eq!(
            (tcp.segments_retransmitted, tcp.segment_errors, tcp.resets_sent),
            (123, 7, 355)
        );
        let expect = UdpTotals {
            family: "ipv4",
            datagrams_received: 3901,
            datagrams_sent: 3902,
            no_port: 5,
            errors: 6,
        };
        assert_eq!(found.udp, [expect]);
    }

    #[test]
    fn a_file_without_a_section_lacks_it() {
        assert_eq!(snmp("Ip: A\nIp: 1\n"), Ok(TcpUdp::default()));
        assert_eq!(snmp(""), Ok(TcpUdp::default()));
    }

    #[test]
    fn broken_lines_are_named() {
        let text = |text: &str| snmp(text).unwrap_err().to_string();
        let below = "expected a line with the section's values below it";
        assert_eq!(text("Tcp: A B\n"), format!("line 1: {below}, found `Tcp: A B`"));
        assert_eq!(text("Tcp: A\nUdp: 1\n"), format!("line 1: {below}, found `Tcp: A`"));
        assert_eq!(
            text("Tcp: A B\nTcp: 1\n"),
            "line 2: expected as many values as names above, found `Tcp: 1`"
        );
        assert_eq!(text("Tcp: A\nTcp: x\n"), "line 2: expected numbers of events, found `Tcp: x`");
    }

    #[test]
    fn snmp6_is_added() {
        let mut out = TcpUdp::default();
        parse_snmp6(b"Ip6InReceives 1\nUdp6InDatagrams\t7\nUdp6NoPorts 8\n", &mut out).unwrap();
        assert_eq!((out.udp[0].datagrams_received, out.udp[0].no_port), (7, 8));
        assert!(parse_snmp6(b"Udp6NoPorts x\n", &mut out).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "((Tcp:|Udp:|Udp6)( ?(InSegs|NoPorts|-?[0-9]{1,21}|x)){0,4}\n?){0,6}"
        ) {
            let mut out = TcpUdp::default();
            parse(text.as_bytes(), &mut out).ok();
            parse_snmp6(text.as_bytes(), &mut out).ok();
        }
    }
}

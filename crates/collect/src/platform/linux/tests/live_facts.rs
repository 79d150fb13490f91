//! This machine's inventory and sockets, against what other programs say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, SystemClock};

use crate::Roots;
use crate::connections::connections;
use crate::inventory::inventory;
use crate::readings::{Traffic, Transport};
use crate::talkers::LiveTalkers;

/// What a program says; nothing if it is not installed.
pub(super) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = barograph_testkit::peer_program(program)?;
    let output = command.args(arguments).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn lsblk_sees_the_same_disks() {
    let columns = "NAME,SIZE,ROTA,TYPE";
    let Some(text) = output("lsblk", &["-b", "-d", "-n", "-o", columns]) else { return };
    let theirs: BTreeMap<&str, (u64, bool)> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words[3] == "disk")
        .map(|words| (words[0], (words[1].parse().unwrap(), words[2] == "1")))
        .collect();
    let ours = inventory(&Roots::default()).unwrap().disks;
    for disk in &ours {
        let expect = (disk.size_bytes, disk.is_rotational.unwrap());
        assert_eq!(theirs.get(disk.name.as_str()), Some(&expect), "{disk:?}");
    }
    let hardware =
        |name: &&&str| !["zram", "ram", "loop"].iter().any(|kind| name.starts_with(kind));
    assert_eq!(ours.len(), theirs.keys().filter(hardware).count(), "{text}");
}

#[test]
fn ip_sees_the_same_adapters_and_addresses() {
    let Some(text) = output("ip", &["-o", "addr"]) else { return };
    let theirs: BTreeSet<(String, IpAddr, u8)> = text
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (ip, bits) = words[3].split_once('/').unwrap_or((words[3], "32"));
            (words[1].to_owned(), ip.parse().unwrap(), bits.parse().unwrap())
        })
        .collect();
    let ours: BTreeSet<(String, IpAddr, u8)> = inventory(&Roots::default())
        .unwrap()
        .adapters
        .into_iter()
        .flat_map(|one| one.addresses.into_iter().map(move |(ip, n)| (one.name.clone(), ip, n)))
        .collect();
    assert_eq!(ours, theirs);
    let Some(text) = output("ip", &["-o", "link"]) else { return };
    for adapter in inventory(&Roots::default()).unwrap().adapters {
        let begins =
            |line: &&str| line.split_whitespace().nth(1).unwrap() == format!("{}:", adapter.name);
        let line = text.lines().find(begins).unwrap();
        assert!(adapter.mac.as_ref().is_none_or(|mac| line.contains(mac)), "{line} {adapter:?}");
        assert_eq!(line.contains("LOWER_UP"), adapter.is_up, "{line} {adapter:?}");
    }
}

#[test]
fn ss_sees_the_same_listening_ports() {
    let _own = TcpListener::bind("127.0.0.1:0").unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let read = || -> BTreeSet<u16> {
        let found = connections(&Roots::default(), &clock).unwrap();
        let tcp = found.listening.iter().filter(|one| one.transport == Transport::Tcp);
        tcp.map(|one| one.port).collect()
    };
    let before = read();
    let Some(text) = output("ss", &["-H", "-t", "-l", "-n"]) else { return };
    let after = read();
    let theirs: BTreeSet<u16> = text
        .lines()
        .map(|line| line.split_whitespace().nth(3).unwrap().rsplit(':').next().unwrap())
        .map(|port| port.parse().unwrap())
        .collect();
    // Other tests open and close theirs meanwhile.
    let lasting: BTreeSet<u16> = before.intersection(&after).copied().collect();
    assert!(lasting.is_subset(&theirs), "{lasting:?} {theirs:?}");
    let known: BTreeSet<u16> = before.union(&after).copied().collect();
    let unknown: Vec<_> = theirs.difference(&known).collect();
    assert!(unknown.len() < 20, "{unknown:?}");
    assert!(!lasting.is_empty());
}

#[test]
fn a_connection_that_waits_for_the_other_end_to_close_says_nothing_of_the_kernel() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (open, _) = listener.accept().unwrap();
    drop(client);
    let mut live = LiveTalkers::new(&Roots::default(), Arc::new(SystemClock::new()));
    // It waits as soon as the other end has confirmed the close.
    let is_waiting = (0..500).any(|_| {
        let found = live.read().unwrap();
        assert_eq!(found.why_no_bytes, None);
        std::thread::sleep(Duration::from_millis(10));
        let mut connections = found.connections.iter();
        let waiting = connections.find(|one| one.remote == open.local_addr().unwrap()).unwrap();
        waiting.traffic.is_none()
    });
    assert!(is_waiting);
}

/// A connection of our own that has carried a known number of bytes, all of them confirmed.
#[test]
fn ss_counts_the_same_bytes_of_a_connection_and_names_the_same_process() {
    const SENT: usize = 1_234_567;
    const ANSWERED: usize = 89;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let sending = std::thread::spawn(move || {
        client.write_all(&vec![7; SENT]).unwrap();
        client.read_exact(&mut [0; ANSWERED]).unwrap();
        client
    });
    server.read_exact(&mut vec![0; SENT]).unwrap();
    server.write_all(&[8; ANSWERED]).unwrap();
    let client = sending.join().unwrap();
    let ends = (client.local_addr().unwrap(), client.peer_addr().unwrap());

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let found = LiveTalkers::new(&Roots::default(), clock).read().unwrap();
    let ours = found.connections.iter().find(|one| (one.local, one.remote) == ends).unwrap();
    if let Some(why) = found.why_no_bytes {
        println!("no bytes to compare: {why}");
        return;
    }
    let Traffic { sent, received } = ours.traffic.unwrap();
    // The first sequence number, that of the opening, is confirmed as well.
    assert!(sent.abs_diff(SENT as u64) <= 1, "{sent}");
    assert_eq!(received, ANSWERED as u64);

    let Some(text) = output("ss", &["-H", "-t", "-i", "-n", "-p", "-O"]) else { return };
    let is_it = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let end = |at: usize| words.get(at).and_then(|word| word.parse::<SocketAddr>().ok());
        (end(3), end(4)) == (Some(ends.0), Some(ends.1))
    };
    let line = text.lines().find(is_it).unwrap_or_else(|| panic!("{ends:?} is not in\n{text}"));
    let theirs = |name: &str| -> Option<u64> {
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse().ok())
    };
    assert_eq!((theirs("bytes_acked:"), theirs("bytes_received:")), (Some(sent), Some(received)));
    let pid = ours.pid.unwrap();
    assert!(line.contains(&format!("pid={pid},")), "{line}");
}

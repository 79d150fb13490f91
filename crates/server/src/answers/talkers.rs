//! Who exchanges how much over TCP.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use barograph_collect::talkers::{Connection, Talkers};
use serde::Serialize;

use crate::timestamp::iso;

/// What connections are summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TalkersBy {
    Process,
    /// The address at the other end.
    Address,
    /// Each on its own.
    Connection,
}

impl TalkersBy {
    pub const ALL: [Self; 3] = [Self::Process, Self::Address, Self::Connection];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Address => "address",
            Self::Connection => "connection",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

/// Those who exchange most come first.
#[derive(Debug, Serialize)]
pub struct TalkersAnswer {
    pub time_ms: i64,
    pub timestamp: String,
    pub by: &'static str,
    /// Over what time the rates are meant.
    pub seconds: Option<f64>,
    /// TCP connections that can carry data.
    pub connections: usize,
    /// All talkers, also those that are not listed.
    pub total: usize,
    /// Whether every connection is in the sums.
    pub complete: bool,
    /// Why bytes are not told, where they are not.
    pub why_no_bytes: Option<Cow<'static, str>>,
    pub talkers: Vec<TalkerAnswer>,
}

/// One talker; what it does not have in common is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TalkerAnswer {
    pub pid: Option<u32>,
    pub process: Option<String>,
    pub local: Option<SocketAddr>,
    pub remote: Option<SocketAddr>,
    pub remote_address: Option<IpAddr>,
    pub state: Option<&'static str>,
    pub connections: usize,
    pub sent_bytes_per_second: Option<f64>,
    pub received_bytes_per_second: Option<f64>,
    /// Of the connections that are open now, since they were opened.
    pub sent_bytes: Option<u64>,
    pub received_bytes: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Process(Option<u32>),
    Address(IpAddr),
    Connection(usize),
}

impl TalkersAnswer {
    /// The `top` that exchange most, or all.
    pub fn new(talkers: &Talkers, by: TalkersBy, top: Option<usize>, time_ms: i64) -> Self {
        let mut sums: HashMap<Key, TalkerAnswer> = HashMap::new();
        for (place, one) in talkers.connections.iter().enumerate() {
            let key = match by {
                TalkersBy::Process => Key::Process(one.pid),
                TalkersBy::Address => Key::Address(one.remote.ip()),
                TalkersBy::Connection => Key::Connection(place),
            };
            sums.entry(key).or_insert_with(|| TalkerAnswer::none_of(one, by)).add(one);
        }
        let total = sums.len();
        let mut order: Vec<TalkerAnswer> = sums.into_values().collect();
        order.sort_by(TalkerAnswer::compare);
        order.truncate(top.unwrap_or(usize::MAX));
        Self {
            time_ms,
            timestamp: iso(time_ms),
            by: by.as_str(),
            seconds: talkers.seconds,
            connections: talkers.total,
            total,
            complete: talkers.connections.len() == talkers.total,
            why_no_bytes: talkers.why_no_bytes.map(Cow::Borrowed),
            talkers: order,
        }
    }
}

impl TalkerAnswer {
    /// What a talker has in common with this connection, with nothing summed.
    fn none_of(one: &Connection, by: TalkersBy) -> Self {
        let is_single = by == TalkersBy::Connection;
        let has_process = is_single || by == TalkersBy::Process;
        Self {
            pid: one.pid.filter(|_| has_process),
            process: one.process.clone().filter(|_| has_process),
            local: is_single.then_some(one.local),
            remote: is_single.then_some(one.remote),
            remote_address: (by == TalkersBy::Address).then(|| one.remote.ip()),
            state: is_single.then(|| one.state.as_str()),
            ..Self::default()
        }
    }

    fn add(&mut self, one: &Connection) {
        self.connections += 1;
        if let Some(rates) = one.rates {
            *self.sent_bytes_per_second.get_or_insert_default() += rates.sent;
            *self.received_bytes_per_second.get_or_insert_default() += rates.received;
        }
        if let Some(traffic) = one.traffic {
            let add = |sum: &mut Option<u64>, bytes: u64| {
                *sum = Some(sum.unwrap_or_default().saturating_add(bytes));
            };
            add(&mut self.sent_bytes, traffic.sent);
            add(&mut self.received_bytes, traffic.received);
        }
    }

    fn rate(&self) -> Option<f64> {
        Some(self.sent_bytes_per_second? + self.received_bytes_per_second?)
    }

    /// By what they exchange now, then by what they have exchanged, then by connections.
    fn compare(a: &Self, b: &Self) -> std::cmp::Ordering {
        let rate = |one: &Self| one.rate().unwrap_or(-1.0);
        let ever = |one: &Self| {
            one.sent_bytes.unwrap_or(0).saturating_add(one.received_bytes.unwrap_or(0))
        };
        rate(b)
            .total_cmp(&rate(a))
            .then(ever(b).cmp(&ever(a)))
            .then(b.connections.cmp(&a.connections))
            .then((a.pid, a.remote_address, a.local, a.remote).cmp(&(
                b.pid,
                b.remote_address,
                b.local,
                b.remote,
            )))
    }
}

#[cfg(test)]
mod tests {
    use barograph_collect::readings::{TcpState, Traffic};
    use barograph_collect::talkers::Rates;

    use super::*;

    fn connection(pid: Option<u32>, remote: &str, per_second: f64) -> Connection {
        Connection {
            local: "10.0.0.1:5000".parse().unwrap(),
            remote: remote.parse().unwrap(),
            state: TcpState::Established,
            pid,
            process: pid.map(|pid| format!("p{pid}")),
            traffic: Some(Traffic { sent: 1000, received: 1 }),
            rates: Some(Rates { sent: per_second, received: 0.0 }),
        }
    }

    fn talkers() -> Talkers {
        Talkers {
            connections: vec![
                connection(Some(7), "10.0.0.2:80", 1.0),
                connection(Some(7), "10.0.0.3:80", 4.0),
                connection(None, "10.0.0.3:81", 9.0),
                connection(Some(8), "10.0.0.4:80", 0.0),
            ],
            total: 5,
            seconds: Some(1.0),
            why_no_bytes: None,
        }
    }

    #[test]
    fn processes_are_summed_and_the_unknown_are_one() {
        let answer = TalkersAnswer::new(&talkers(), TalkersBy::Process, None, 0);
        let brief: Vec<_> = answer
            .talkers
            .iter()
            .map(|one| (one.pid, one.connections, one.sent_bytes_per_second, one.sent_bytes))
            .collect();
        let expect = [
            (None, 1, Some(9.0), Some(1000)),
            (Some(7), 2, Some(5.0), Some(2000)),
            (Some(8), 1, Some(0.0), Some(1000)),
        ];
        assert_eq!(brief, expect);
        assert_eq!((answer.total, answer.connections, answer.complete), (3, 5, false));
        assert_eq!(answer.talkers[1].process.as_deref(), Some("p7"));
        assert_eq!(answer.talkers[1].remote, None);
    }

    #[test]
    fn addresses_and_single_connections_are_talkers_too() {
        let answer = TalkersAnswer::new(&talkers(), TalkersBy::Address, Some(1), 0);
        let first = &answer.talkers[0];
        assert_eq!(first.remote_address.unwrap().to_string(), "10.0.0.3");
        assert_eq!((first.connections, first.pid, answer.total), (2, None, 3));
        let answer = TalkersAnswer::new(&talkers(), TalkersBy::Connection, Some(2), 0);
        let ports: Vec<_> = answer.talkers.iter().map(|one| one.remote.unwrap().port()).collect();
        assert_eq!(ports, [81, 80]);
        assert_eq!(answer.talkers[1].pid, Some(7));
    }

    #[test]
    fn without_bytes_the_most_connections_come_first_and_nothing_is_zero() {
        let mut talkers = talkers();
        for one in &mut talkers.connections {
            (one.traffic, one.rates) = (None, None);
        }
        let answer = TalkersAnswer::new(&talkers, TalkersBy::Process, None, 0);
        assert_eq!(answer.talkers[0].pid, Some(7));
        assert_eq!(answer.talkers[0].sent_bytes_per_second, None);
        assert_eq!(answer.talkers[0].received_bytes, None);
    }
}

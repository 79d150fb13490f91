//! Who exchanges how much over TCP: open connections with their processes and what they carried.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::Clock;

use crate::increase::increase;
use crate::platform::SocketReader;
use crate::readings::{Socket, TcpState, Traffic};
use crate::{Error, Roots};

/// The TCP connections of a machine at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Talkers {
    /// In the system's order, at most [`Talkers::MAX_CONNECTIONS`].
    pub connections: Vec<Connection>,
    /// All there are.
    pub total: usize,
    /// Over what time rates are meant; nothing at the first reading.
    pub seconds: Option<f64>,
    /// Why the bytes of connections are not told, where they are not.
    pub why_no_bytes: Option<&'static str>,
}

impl Talkers {
    /// Some megabytes; what is beyond is only counted.
    pub const MAX_CONNECTIONS: usize = 65_536;
}

/// A TCP connection that can carry data. One within the machine has two ends, and is there twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub state: TcpState,
    /// Nothing where the system does not tell whose it is, as a rule for lack of rights. Of
    /// several processes that share it, one.
    pub pid: Option<u32>,
    pub process: Option<String>,
    /// In all.
    pub traffic: Option<Traffic>,
    /// Since the reading before.
    pub rates: Option<Rates>,
}

/// Bytes per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    pub sent: f64,
    pub received: f64,
}

/// Ends and owner: ports are used again, but hardly so soon by the same program.
type Identity = (SocketAddr, SocketAddr, u64);

/// Reads the connections again and again, for whoever looks at them: rates are those since the
/// reading before.
#[derive(Debug)]
pub struct LiveTalkers {
    reader: SocketReader,
    clock: Arc<dyn Clock>,
    before: Option<Before>,
}

#[derive(Debug)]
struct Before {
    at: Duration,
    traffic: HashMap<Identity, Traffic>,
    /// Whether it holds all connections there were: what it lacks is new then.
    is_complete: bool,
}

impl LiveTalkers {
    /// Nothing is read before [`LiveTalkers::read`].
    pub fn new(roots: &Roots, clock: Arc<dyn Clock>) -> Self {
        Self { reader: SocketReader::new(roots), clock, before: None }
    }

    /// As [`LiveTalkers::read`], but where no reading was taken lately one is taken first, and a
    /// second passes.
    ///
    /// # Errors
    /// The system does not list its connections.
    pub fn read_with_rates(&mut self) -> Result<Talkers, Error> {
        const LATELY: Duration = Duration::from_secs(60);
        const BETWEEN: Duration = Duration::from_secs(1);
        let age = self.before.as_ref().map(|before| self.since(before.at));
        if age.is_none_or(|age| age > LATELY || age.is_zero()) {
            self.read()?;
            std::thread::sleep(BETWEEN);
        }
        self.read()
    }

    /// What is open now, with whose it is.
    ///
    /// # Errors
    /// The system does not list its connections.
    pub fn read(&mut self) -> Result<Talkers, Error> {
        let mut sockets: Vec<Socket> = Vec::new();
        let mut total = 0;
        let why_no_bytes = self.reader.each_with_traffic(|socket| {
            total += 1;
            if sockets.len() < Talkers::MAX_CONNECTIONS {
                sockets.push(socket);
            }
        })?;
        let at = self.clock.monotonic();
        let seconds = self.before.as_ref().map(|before| at.saturating_sub(before.at).as_secs_f64());
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        let wanted: Vec<u64> = sockets.iter().map(|socket| socket.owner).collect();
        let owners = self.reader.owners(&wanted, || self.since(at));
        let connections = sockets.iter().map(|socket| {
            let owner = owners.processes.get(&socket.owner);
            Connection {
                local: socket.local,
                remote: socket.remote,
                state: socket.state,
                pid: owner.map(|(pid, _)| *pid),
                process: owner.and_then(|(_, name)| name.clone()),
                traffic: socket.traffic,
                rates: self.before.as_ref().zip(seconds).and_then(|(b, s)| b.rates(socket, s)),
            }
        });
        let connections: Vec<_> = connections.collect();
        let known = sockets.iter().filter_map(|one| Some((identity(one), one.traffic?)));
        let is_complete = connections.len() == total;
        self.before = Some(Before { at, traffic: known.collect(), is_complete });
        Ok(Talkers { connections, total, seconds, why_no_bytes })
    }

    fn since(&self, at: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(at)
    }
}

impl Before {
    fn rates(&self, socket: &Socket, seconds: f64) -> Option<Rates> {
        let now = socket.traffic?;
        let before = match self.traffic.get(&identity(socket)) {
            Some(before) => *before,
            None if self.is_complete => Traffic::default(),
            None => return None,
        };
        let rate = |before: u64, now: u64| increase(before as f64, now as f64) / seconds;
        Some(Rates {
            sent: rate(before.sent, now.sent),
            received: rate(before.received, now.received),
        })
    }
}

fn identity(socket: &Socket) -> Identity {
    (socket.local, socket.remote, socket.owner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use barograph_model::SystemClock;
    use barograph_testkit::FakeClock;

    use super::*;
    use crate::readings::Transport;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    fn end_of(found: &Talkers, stream: &TcpStream) -> Connection {
        let ends = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        let is_it = |one: &&Connection| (one.local, one.remote) == ends;
        found.connections.iter().find(is_it).unwrap().clone()
    }

    /// Real bytes over a real connection; the time is turned by hand, so that rates are exact.
    #[test]
    fn both_ends_tell_what_was_sent_and_whose_they_are() {
        const BYTES: usize = 3_000_000;
        let (mut sender, mut receiver) = pair();
        let clock = Arc::new(FakeClock::new(0));
        let mut live = LiveTalkers::new(&Roots::default(), clock.clone());
        let first = live.read().unwrap();
        assert_eq!((first.seconds, end_of(&first, &sender).rates), (None, None));
        let reading = std::thread::spawn(move || {
            let mut bytes = vec![0; BYTES];
            receiver.read_exact(&mut bytes).unwrap();
            // This one brings the confirmation of all that came.
            receiver.write_all(&[2]).unwrap();
            receiver
        });
        sender.write_all(&vec![1; BYTES]).unwrap();
        sender.read_exact(&mut [0]).unwrap();
        let receiver = reading.join().unwrap();
        clock.advance(Duration::from_secs(2));
        let second = live.read().unwrap();
        assert_eq!(second.seconds, Some(2.0));
        let (sent, received) = (end_of(&second, &sender), end_of(&second, &receiver));
        for end in [&sent, &received] {
            assert_eq!(end.pid, Some(std::process::id()), "{end:?}");
            assert!(end.process.as_ref().is_some_and(|name| !name.is_empty()), "{end:?}");
        }
        if let Some(why) = second.why_no_bytes {
            println!("no bytes to compare: {why}");
            assert_eq!((sent.traffic, sent.rates), (None, None));
            return;
        }
        assert_eq!(sent.rates.unwrap(), Rates { sent: BYTES as f64 / 2.0, received: 0.5 });
        let its = received.rates.unwrap();
        assert_eq!(its, Rates { received: BYTES as f64 / 2.0, ..its });
        // All that a connection carried, which was not there at the reading before, is new.
        let (mut late, mut its_end) = pair();
        late.write_all(&[1; 1000]).unwrap();
        its_end.read_exact(&mut [0; 1000]).unwrap();
        clock.advance(Duration::from_secs(1));
        let third = live.read().unwrap();
        let its = end_of(&third, &its_end).rates.unwrap();
        assert_eq!(its, Rates { received: 1000.0, ..its });
        assert_eq!(end_of(&third, &sender).rates.unwrap(), Rates::default());
    }

    #[test]
    fn rates_come_with_the_first_answer_and_from_then_on_without_waiting() {
        let (_sender, _receiver) = pair();
        let mut live = LiveTalkers::new(&Roots::default(), Arc::new(SystemClock::new()));
        let first = live.read_with_rates().unwrap();
        assert!(first.seconds.unwrap() >= 1.0, "{:?}", first.seconds);
        let second = live.read_with_rates().unwrap();
        assert!(second.seconds.is_some() && second.total >= 2);
    }

    #[test]
    fn of_what_was_left_out_before_nothing_is_said() {
        let end: SocketAddr = "10.0.0.1:1".parse().unwrap();
        let socket = Socket {
            transport: Transport::Tcp,
            state: TcpState::Established,
            local: end,
            remote: end,
            owner: 7,
            traffic: Some(Traffic { sent: 10, received: 20 }),
        };
        let mut before = Before { at: Duration::ZERO, traffic: HashMap::new(), is_complete: false };
        assert_eq!(before.rates(&socket, 2.0), None);
        before.is_complete = true;
        assert_eq!(before.rates(&socket, 2.0), Some(Rates { sent: 5.0, received: 10.0 }));
        // Another connection between the same ends starts at nothing.
        before.traffic.insert(identity(&socket), Traffic { sent: 100, received: 0 });
        assert_eq!(before.rates(&socket, 2.0), Some(Rates { sent: 5.0, received: 10.0 }));
    }
}

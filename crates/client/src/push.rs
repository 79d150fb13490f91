//! Sending to Barograph again and again, for programs that nobody can scrape.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::registry::Registry;

/// Of each single step: resolving aside, connecting, sending, waiting for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What waits for a server that is away: at the usual 10 s and 50 series, three hours.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;
/// Of an answer: the status is in its first line.
const MAX_ANSWER_BYTES: u64 = 4096;

/// Where to, and how often.
#[derive(Clone)]
pub struct PushSettings {
    url: String,
    interval: Duration,
    token: Option<String>,
}

impl fmt::Debug for PushSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token, which is nobody's business.
        f.debug_struct("PushSettings")
            .field("url", &self.url)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

impl PushSettings {
    /// To an address such as `http://127.0.0.1:7575/api/v1/push`, every ten seconds.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), interval: Duration::from_secs(10), token: None }
    }

    /// How often; a second apart at least.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_secs(1));
        self
    }

    /// Sent as `Authorization: Bearer …`.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// Why nothing can be, or was, pushed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PushError {
    /// The address is not of the form `http://host:port/path`.
    Address(String),
    /// A token with a line break or another sign that no header may hold.
    Token,
    /// The server cannot be reached, or does not answer in time.
    Io(io::Error),
    /// It answered, and not that all is well; it is said with which status.
    Refused { status: u16 },
    /// It does not speak HTTP.
    NotHttp,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(url) => write!(
                f,
                "`{url}` is no address to push to: it has the form http://host:port/path \
                 (not https: push to a Barograph on this machine, or let it scrape)"
            ),
            Self::Token => f.write_str("the token has signs that no header may hold"),
            Self::Io(_) => f.write_str("the server cannot be reached"),
            Self::Refused { status } => write!(f, "the server answered with status {status}"),
            Self::NotHttp => f.write_str("what answered does not speak HTTP"),
        }
    }
}

impl std::error::Error for PushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// How the pushing goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Rounds that the server has taken.
    pub delivered: u64,
    /// Rounds that wait for it to come back.
    pub waiting: u64,
    /// Rounds that were refused, or given up because too many waited.
    pub lost: u64,
}

/// Pushes a registry until it is dropped; what is the newest then is pushed, too.
#[derive(Debug)]
pub struct Pusher {
    /// Dropping it tells the thread.
    ends: Option<Sender<()>>,
    state: Arc<Mutex<Pushed>>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Sends all metrics at once and from then on, from a thread of its own. While the server is
    /// away, up to 4 MiB wait for it; they have the time that they were true at.
    ///
    /// # Errors
    /// The address or the token cannot be used.
    pub fn push(&self, settings: &PushSettings) -> Result<Pusher, PushError> {
        let target = Target::new(settings)?;
        let (ends, told) = channel();
        let state = Arc::<Mutex<Pushed>>::default();
        let mut queue = Queue {
            target,
            waiting: VecDeque::new(),
            bytes: 0,
            state: Arc::clone(&state),
            has_ended: false,
        };
        let (registry, interval) = (self.clone(), settings.interval);
        let thread = std::thread::Builder::new()
            .name("metrics-push".to_owned())
            .spawn(move || run(&registry, interval, &told, &mut queue))
            .map_err(PushError::Io)?;
        Ok(Pusher { ends: Some(ends), state, thread: Some(thread) })
    }
}

impl Pusher {
    pub fn pushed(&self) -> Pushed {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap_or_default();
        }
    }
}

fn run(registry: &Registry, interval: Duration, told: &Receiver<()>, queue: &mut Queue) {
    loop {
        #[expect(
            clippy::disallowed_methods,
            reason = "a library that depends on nothing has no clock"
        )]
        let now = SystemTime::now();
        let time_ms = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        queue.add(registry.lines(time_ms));
        queue.send();
        match told.recv_timeout(interval) {
            Err(RecvTimeoutError::Timeout) => {}
            // The pusher is gone: one last time, with what came since.
            _ if queue.has_ended => return,
            _ => queue.has_ended = true,
        }
    }
}

/// Rounds that are still to be sent.
struct Queue {
    target: Target,
    waiting: VecDeque<String>,
    bytes: usize,
    state: Arc<Mutex<Pushed>>,
    has_ended: bool,
}

impl Queue {
    fn add(&mut self, lines: String) {
        self.bytes += lines.len();
        self.waiting.push_back(lines);
        let mut lost = 0;
        while self.bytes > MAX_WAITING_BYTES
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.len();
            lost += 1;
        }
        self.tell(0, lost);
    }

    /// All that waits in one body; it stays while the server may still want it.
    fn send(&mut self) {
        let rounds = self.waiting.len() as u64;
        let body: String = self.waiting.iter().map(String::as_str).collect();
        let (delivered, lost) = match self.target.post(&body) {
            Ok(()) => (rounds, 0),
            Err(PushError::Refused { status }) if is_final(status) => (0, rounds),
            Err(_) => return,
        };
        self.waiting.clear();
        self.bytes = 0;
        self.tell(delivered, lost);
    }

    fn tell(&self, delivered: u64, lost: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.delivered += delivered;
        state.lost += lost;
        state.waiting = self.waiting.len() as u64;
    }
}

/// Whether asking again would bring the same answer.
const fn is_final(status: u16) -> bool {
    400 <= status && status < 500 && !matches!(status, 401 | 403 | 408 | 429)
}

/// What to connect to, and what to say first.
struct Target {
    /// `host:port`
    authority: String,
    head: String,
}

impl Target {
    fn new(settings: &PushSettings) -> Result<Self, PushError> {
        let url = &settings.url;
        let bad = || PushError::Address(url.clone());
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let rest = url.strip_prefix("http://").filter(|rest| is_plain(rest)).ok_or_else(bad)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, "api/v1/push"));
        if host.is_empty() || host.contains('@') {
            return Err(bad());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { host.to_owned() } else { format!("{host}:80") };
        let sign_in = match &settings.token {
            Some(token) if !is_plain(token) => return Err(PushError::Token),
            Some(token) => format!("Authorization: Bearer {token}\r\n"),
            None => String::new(),
        };
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\n\
             Connection: close\r\n{sign_in}"
        );
        Ok(Self { authority, head })
    }

    fn post(&self, body: &str) -> Result<(), PushError> {
        match self.exchange(body).map_err(PushError::Io)? {
            None => Err(PushError::NotHttp),
            Some(status) if (200..300).contains(&status) => Ok(()),
            Some(status) => Err(PushError::Refused { status }),
        }
    }

    /// The status that it answers with.
    fn exchange(&self, body: &str) -> io::Result<Option<u16>> {
        let mut socket = self.connect()?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head, body.len());
        socket.write_all(head.as_bytes())?;
        // Who refuses a body need not read it to its end, and has still answered.
        let sent = socket.write_all(body.as_bytes());
        let mut line = String::new();
        match BufReader::new(socket.take(MAX_ANSWER_BYTES)).read_line(&mut line) {
            Ok(_) => {}
            Err(error) => return Err(sent.err().unwrap_or(error)),
        }
        let mut words = line.split(' ');
        let speaks = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
        Ok(words.next().filter(|_| speaks).and_then(|status| status.parse().ok()))
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::ErrorKind::AddrNotAvailable.into();
        for address in self.authority.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};

    use super::*;

    fn target(url: &str) -> Result<Target, PushError> {
        Target::new(&PushSettings::new(url).token("s3cret"))
    }

    #[test]
    fn addresses_are_checked_at_once() {
        let good = target("http://[::1]:7575/x?y=z").unwrap();
        assert_eq!(good.authority, "[::1]:7575");
        assert!(good.head.starts_with("POST /x?y=z HTTP/1.1\r\nHost: [::1]:7575\r\n"));
        assert!(good.head.ends_with("Authorization: Bearer s3cret\r\n"));
        let short = target("http://barograph").unwrap();
        assert_eq!(short.authority, "barograph:80");
        assert!(short.head.starts_with("POST /api/v1/push HTTP/1.1"));
        for bad in
            ["https://a/b", "a:1", "http://", "http://u@h/", "http://a/b c", "http://a\r\nX: y"]
        {
            assert!(matches!(target(bad), Err(PushError::Address(_))), "{bad}");
        }
        let bad = PushSettings::new("http://a").token("x\r\ny");
        assert!(matches!(Target::new(&bad), Err(PushError::Token)));
        assert!(!format!("{bad:?}").contains('x'));
    }

    /// Answers one request and gives its text.
    fn answer(listener: &TcpListener, status: &str) -> String {
        let (mut socket, _) = listener.accept().unwrap();
        let mut text = String::new();
        let mut reader = BufReader::new(&socket);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(count) = line.strip_prefix("Content-Length: ") {
                length = count.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        reader.take(length).read_to_string(&mut text).unwrap();
        write!(socket, "HTTP/1.1 {status}\r\n\r\n").unwrap();
        text
    }

    fn queue(address: SocketAddr) -> Queue {
        let target = Target::new(&PushSettings::new(format!("http://{address}/p"))).unwrap();
        let (waiting, state) = (VecDeque::new(), Arc::default());
        Queue { target, waiting, bytes: 0, state, has_ended: false }
    }

    fn told(queue: &Queue) -> [u64; 3] {
        let Pushed { delivered, waiting, lost } = *queue.state.lock().unwrap();
        [delivered, waiting, lost]
    }

    #[test]
    fn what_a_server_did_not_take_waits_and_what_it_refused_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut queue = queue(listener.local_addr().unwrap());
        let bodies = std::thread::spawn(move || {
            ["503 Busy", "401 Who", "204 Good", "400 Bad", "nonsense"]
                .map(|status| answer(&listener, status))
        });
        for (line, expected) in [
            ("a\n", [0, 1, 0]),
            ("b\n", [0, 2, 0]),
            ("c\n", [3, 0, 0]),
            ("d\n", [3, 0, 1]),
            ("e\n", [3, 1, 1]),
            // Nobody is there any more.
            ("f\n", [3, 2, 1]),
        ] {
            queue.add(line.to_owned());
            queue.send();
            assert_eq!(told(&queue), expected, "{line}");
        }
        assert_eq!(bodies.join().unwrap(), ["a\n", "a\nb\n", "a\nb\nc\n", "d\n", "e\n"]);
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_goes() {
        let mut queue = queue("127.0.0.1:9".parse().unwrap());
        queue.add("old".repeat(MAX_WAITING_BYTES / 4));
        queue.add("new".repeat(MAX_WAITING_BYTES / 4));
        assert_eq!(told(&queue), [0, 1, 1]);
        assert!(queue.waiting[0].starts_with("new"));
    }

    #[test]
    fn a_pusher_says_everything_once_more_at_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Registry::new();
        let counter = registry.counter("jobs_total", "Jobs.", &[]).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let pusher = registry.push(&PushSettings::new(url).every(Duration::MAX)).unwrap();
        assert!(answer(&listener, "204 Good").contains("\"value\":0.0"));
        counter.add(41.0);
        let last = std::thread::spawn(move || answer(&listener, "204 Good"));
        drop(pusher);
        assert!(
            last.join().unwrap().contains("\"name\":\"jobs_total\",\"labels\":{},\"value\":41.0")
        );
    }
}

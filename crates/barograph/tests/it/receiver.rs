//! A webhook that writes down what it gets, and behaves as badly as receivers do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tracing_mutex::stdsync::Mutex;

use crate::program::PATIENCE;

/// What was received, in the order in which it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Received {
    /// The notification as a whole.
    pub(crate) fn told(&self) -> &Value {
        &self.body["barograph"]
    }

    pub(crate) fn event(&self) -> &str {
        self.told()["event"].as_str().unwrap()
    }
}

/// Listens until the test ends.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

/// What the receiver does with a request.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    TakesSlowly,
    /// It has it, but says so to nobody.
    TakesAndHangsUp,
    HangsUp,
    IsBusy,
    IsOverrun,
}

impl Receiver {
    /// Takes everything.
    pub(crate) fn good() -> Self {
        Self::start(|_| Mood::Takes)
    }

    /// Fails now and then, in every way.
    pub(crate) fn moody() -> Self {
        Self::start(|count| match count {
            _ if count % 7 == 3 => Mood::IsBusy,
            _ if count % 11 == 5 => Mood::HangsUp,
            _ if count % 13 == 7 => Mood::TakesAndHangsUp,
            _ if count % 17 == 2 => Mood::IsOverrun,
            _ if count % 5 == 1 => Mood::TakesSlowly,
            _ => Mood::Takes,
        })
    }

    fn start(mood: fn(usize) -> Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let for_thread = Arc::clone(&received);
        let count = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (received, count) = (Arc::clone(&for_thread), Arc::clone(&count));
                std::thread::spawn(move || {
                    let mut socket = socket;
                    while let Some(()) = answer(&mut socket, &received, &count, mood) {}
                });
            }
        });
        Self { port, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until something fits.
    pub(crate) fn wait_for(&self, what: &str, fits: impl Fn(&Received) -> bool) -> Received {
        #[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
        let started = std::time::Instant::now();
        loop {
            if let Some(found) = self.received().into_iter().find(&fits) {
                return found;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "waited in vain for {what}: {:?}",
                self.received()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Answers one request; nothing once the connection is over.
fn answer(
    socket: &mut TcpStream,
    received: &Mutex<Vec<Received>>,
    count: &AtomicUsize,
    mood: fn(usize) -> Mood,
) -> Option<()> {
    let request = read(socket)?;
    let mood = mood(count.fetch_add(1, Ordering::Relaxed));
    if matches!(mood, Mood::Takes | Mood::TakesSlowly | Mood::TakesAndHangsUp) {
        received.lock().unwrap().push(request);
    }
    let head = match mood {
        Mood::HangsUp | Mood::TakesAndHangsUp => return None,
        Mood::IsBusy => "503 Service Unavailable\r\nRetry-After: 1",
        Mood::IsOverrun => "429 Too Many Requests",
        Mood::TakesSlowly => {
            std::thread::sleep(Duration::from_millis(150));
            "200 OK"
        }
        Mood::Takes => "200 OK",
    };
    let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n");
    socket.write_all(answer.as_bytes()).ok()
}

fn read(socket: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let head_ends = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        let n = socket.read(&mut buffer).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    };
    let head = String::from_utf8_lossy(&bytes[..head_ends]).into_owned();
    let header = |wanted: &str| {
        let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < head_ends + length {
        let n = socket.read(&mut buffer).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    }
    let body = serde_json::from_slice(&bytes[head_ends..]).unwrap();
    Some(Received { id: header("webhook-id")?, body })
}

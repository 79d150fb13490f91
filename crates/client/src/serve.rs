//! A page for those who scrape: just enough HTTP for one address.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::registry::Registry;

/// A request's head; those of scrapers have some hundred bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Who has not asked, or not read the answer, in this time is let go.
const PATIENCE: Duration = Duration::from_secs(5);
/// Asking at once; more are let go, so that nobody can make threads without end.
const MAX_CONNECTIONS: usize = 8;

/// Offers a registry's page until it is dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Answers `GET /metrics` at an address such as `127.0.0.1:9300`, from a thread of its own.
    ///
    /// There is no sign-in: whoever reaches the address reads the page.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn serve(&self, address: impl ToSocketAddrs) -> io::Result<Listener> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let ends = Arc::new(AtomicBool::new(false));
        let (registry, told) = (self.clone(), Arc::clone(&ends));
        let thread = std::thread::Builder::new()
            .name("metrics-page".to_owned())
            .spawn(move || accept(&listener, &registry, &told))?;
        Ok(Listener { address, ends, thread: Some(thread) })
    }
}

impl Listener {
    /// Where it listens; of use after port 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        // It waits for a connection, so it gets one.
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(match own {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let woken = TcpStream::connect_timeout(&own, PATIENCE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            thread.join().unwrap_or_default();
        }
    }
}

fn accept(listener: &TcpListener, registry: &Registry, ends: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for socket in listener.incoming() {
        if ends.load(SeqCst) {
            return;
        }
        let Ok(socket) = socket else {
            // No more open files, for one: not to be asked again in a busy loop.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        if open.load(SeqCst) >= MAX_CONNECTIONS {
            continue;
        }
        open.fetch_add(1, SeqCst);
        let place = Place(Arc::clone(&open));
        let registry = registry.clone();
        let answer = move || {
            let _place = place;
            // Who goes away while being answered is not our trouble.
            respond(socket, &registry).unwrap_or_default();
        };
        drop(std::thread::Builder::new().name("metrics-answer".to_owned()).spawn(answer));
    }
}

/// One of the connections that are allowed; given back also when its thread never starts.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn respond(mut socket: TcpStream, registry: &Registry) -> io::Result<()> {
    let head = read_head(&mut socket)?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default().split(|byte| *byte == b'?').next();
    let body = match (method, path) {
        (b"GET" | b"HEAD", Some(b"/metrics" | b"/")) => Ok(registry.text()),
        (b"GET" | b"HEAD", _) => Err(("404 Not Found", "the metrics are at /metrics\n")),
        _ => Err(("405 Method Not Allowed", "GET /metrics is answered\n")),
    };
    let (status, kind, body) = match &body {
        Ok(page) => ("200 OK", "text/plain; version=0.0.4; charset=utf-8", page.as_str()),
        Err((status, text)) => (*status, "text/plain; charset=utf-8", *text),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if method != b"HEAD" {
        answer += body;
    }
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.write_all(answer.as_bytes())
}

/// To the empty line behind it.
fn read_head(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "a library that depends on nothing has no clock")]
    let until = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        #[expect(clippy::disallowed_methods, reason = "as above")]
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let count = socket.read(&mut part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend(part.iter().take(count));
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(head);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_to_ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
        let mut socket = TcpStream::connect(address)?;
        socket.write_all(request.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn ask(address: SocketAddr, request: &str) -> String {
        try_to_ask(address, request).unwrap()
    }

    #[test]
    fn the_page_is_offered_and_nothing_else() {
        let registry = Registry::new();
        registry.gauge("g", "G.", &[]).unwrap().set(3.0);
        let listener = registry.serve("127.0.0.1:0").unwrap();
        let page = ask(listener.address(), "GET /metrics?x=y HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"));
        assert!(page.contains("\r\n\r\n# HELP ") && page.contains("\ng 3\n"), "{page}");
        let head = ask(listener.address(), "HEAD / HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(ask(listener.address(), "GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(listener.address(), "PUT / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        let address = listener.address();
        drop(listener);
        TcpListener::bind(address).unwrap();
    }

    #[test]
    fn silent_and_endless_askers_keep_nobody_out() {
        let registry = Registry::new();
        let listener = registry.serve("127.0.0.1:0").unwrap();
        let _silent: Vec<_> = (0..MAX_CONNECTIONS - 1)
            .map(|_| TcpStream::connect(listener.address()).unwrap())
            .collect();
        let mut endless = TcpStream::connect(listener.address()).unwrap();
        let line = [b'a'; 8 * 1024];
        while endless.write_all(&line).is_ok() {}
        // Its place is free a moment after it was sent away.
        let page = (0..1000).find_map(|_| {
            let page = try_to_ask(listener.address(), "GET /metrics HTTP/1.1\r\n\r\n");
            let page = page.ok().filter(|page| !page.is_empty());
            if page.is_none() {
                std::thread::sleep(Duration::from_millis(10));
            }
            page
        });
        assert!(page.is_some_and(|page| page.starts_with("HTTP/1.1 200")));
    }
}

//! Starts the program, talks to it, ends it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{METRIC_NAME, Matcher, SystemClock};
use barograph_store::{Limits, SeriesData, Settings, Store};
pub(crate) use barograph_testkit::{peer_program, python};

/// Long enough for a busy machine under Wine; a test that waits this long fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const ON_WINDOWS: bool = matches!(std::env::consts::OS.as_bytes(), b"windows");

#[expect(clippy::disallowed_methods, reason = "tests start the program")]
pub(crate) fn barograph() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_barograph"));
    for name in ["BAROGRAPH_CONFIG", "BAROGRAPH_LISTEN", "BAROGRAPH_DATA", "BAROGRAPH_LOG"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command that ends by itself.
pub(crate) fn run(args: &[&str]) -> Output {
    barograph().args(args).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

/// What is on disk of a metric, once the server has stopped.
pub(crate) fn stored(data: &Path, metric: &str) -> Vec<SeriesData> {
    let store = Store::open(Settings::new(data), Arc::new(SystemClock::new())).unwrap();
    let matchers = [Matcher::equal(METRIC_NAME, metric)];
    store.select(&matchers, i64::MIN, i64::MAX, &Limits::default()).unwrap().data
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running `barograph serve`, ended when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts on a free port and waits until it says where.
    pub(crate) fn start(data: &Path) -> Self {
        let mut child = barograph()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .current_dir(data.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.split("http://").nth(1) else {
            child.wait().unwrap();
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("no address in {line:?}; log:\n{log}");
        };
        let address = address.trim().trim_end_matches('/').parse().unwrap();
        // Nobody reads the log, and a full pipe would stop the program.
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    /// The body of a successful answer.
    pub(crate) fn get(&self, path: &str) -> String {
        let answer = self.request(path, "localhost");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.get(path)).unwrap()
    }

    pub(crate) fn request(&self, path: &str, host: &str) -> Answer {
        request(self.address, path, host)
    }

    /// Sends a body.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", path, headers, body)
    }

    /// Sends a body by any method.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len().to_string();
        let own = [("Host", "localhost"), ("Connection", "close"), ("Content-Length", &length)];
        let lines = own.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n"));
        let head = lines.fold(format!("{method} {path} HTTP/1.1\r\n"), |head, line| head + &line);
        socket.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // Who refuses a body need not read it to its end.
        drop(socket.write_all(body));
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        Answer::parse(&String::from_utf8_lossy(&answer))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        #[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
        let started = std::time::Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until headline values are there.
    pub(crate) fn wait_for_values(&self) -> serde_json::Value {
        self.wait_for("headline values", |server| {
            let answer = server.request("/api/current_metrics", "localhost");
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            body["system"]["cpu_usage"].is_number().then_some(body)
        })
    }

    /// Ends the program as a service manager would: by SIGTERM. Where there is none, by force.
    pub(crate) fn stop(mut self) -> ExitStatus {
        if ON_WINDOWS {
            self.child.kill().unwrap();
        } else {
            #[expect(clippy::disallowed_methods, reason = "tests send signals")]
            let sent = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
            assert!(sent.success());
        }
        self.child.wait().unwrap()
    }

    /// Ends the program as a power cut would, as far as a process goes.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

/// Asks any server.
pub(crate) fn request(address: SocketAddr, path: &str, host: &str) -> Answer {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    Answer::parse(&String::from_utf8_lossy(&answer))
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        let head = head.to_lowercase();
        let body = if head.contains("transfer-encoding: chunked") {
            unchunk(body)
        } else {
            body.to_owned()
        };
        Self { status, head, body }
    }

    pub(crate) fn error_code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["error"]["code"].as_str().unwrap().to_owned()
    }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        body.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    body
}

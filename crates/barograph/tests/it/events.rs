//! `barograph events`, and a server that goes away meanwhile.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use crate::program::barograph;

/// Reads one question, and answers with these events.
fn answer(mut stream: &TcpStream, events: &str) {
    let mut lines = BufReader::new(stream).lines();
    while !lines.next().unwrap().unwrap().is_empty() {}
    let body = format!(r#"{{"events": [{events}], "more": false, "damaged": 0, "lost": 0}}"#);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
}

#[test]
fn events_are_followed_through_a_restart_of_the_server() {
    const EVENT: &str = r#"{"time_ms": 1763812800000, "timestamp": "2025-11-22T12:00:00.000Z",
        "kind": "service_restarted", "subject": "nginx", "fields": {"restarts": 2}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut child = barograph()
        .args(["events", "--follow", "--server", &address])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    answer(&listener.accept().unwrap().0, "");
    // Nobody answers twice, and that is told once.
    for _ in 0..2 {
        drop(listener.accept().unwrap());
    }
    answer(&listener.accept().unwrap().0, EVENT);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "2025-11-22T12:00:00.000Z  service_restarted  nginx  restarts=2\n");
    child.kill().unwrap();
    child.wait().unwrap();
    let said: Vec<String> =
        BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains(&address) && said[0].ends_with("asked again every second"),
        "{said:?}"
    );
    assert!(said[1].ends_with("the server answers again"), "{said:?}");
}

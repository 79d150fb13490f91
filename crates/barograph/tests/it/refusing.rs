//! Sending on to a receiver that is busy at first and then refuses one sample.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing_mutex::stdsync::Mutex;

use crate::program::Server;

const POISON: &[u8] = b"poison_total";

/// What came in, and when.
#[derive(Default)]
struct Seen {
    requests: Vec<Instant>,
    /// Unpacked bodies that were answered with success.
    taken: Vec<Vec<u8>>,
    refused: usize,
}

/// Answers each request: the first with 429, those that hold the poison with 400.
fn receiver() -> (String, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::<Mutex<Seen>>::default();
    let shared = Arc::clone(&seen);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let seen = Arc::clone(&shared);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(socket.unwrap());
                while let Some((path, body)) = request(&mut reader) {
                    let answer = judge(&path, &body, &seen);
                    reader.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    (address, seen)
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(count) = line.strip_prefix("content-length: ") {
            length = count.parse().unwrap();
        }
        if first.is_empty() {
            first = line;
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, body))
}

fn judge(path: &str, body: &[u8], seen: &Mutex<Seen>) -> String {
    if !path.starts_with("post /in ") {
        return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
    }
    let body = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let mut seen = seen.lock().unwrap();
    #[expect(clippy::disallowed_methods, reason = "tests look at real time")]
    seen.requests.push(Instant::now());
    if seen.requests.len() == 1 {
        return "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"
            .to_owned();
    }
    if body.windows(POISON.len()).any(|part| part == POISON) {
        seen.refused += 1;
        return "HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\npoison!".to_owned();
    }
    seen.taken.push(body);
    "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
}

#[test]
fn a_busy_receiver_is_given_time_and_of_a_refused_batch_only_the_bad_sample_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (address, seen) = receiver();
    let config = format!("[[remote_write]]\nname = 'picky'\nurl = 'http://{address}/in'\n");
    fs::write(folder.path().join("barograph.toml"), config).unwrap();
    let server = Server::start(&folder.path().join("data"));
    let names: Vec<String> = (0..40).map(|i| format!("good_{i:02}_total")).collect();
    let mut pushed: Vec<&str> = names.iter().map(String::as_str).collect();
    pushed.insert(14, "poison_total");
    let lines = pushed.iter().map(|name| json!({"name": name, "value": 1}).to_string());
    let lines = lines.collect::<Vec<_>>().join("\n");
    let answer =
        server.post("/api/v1/push", &[("Content-Type", "application/x-ndjson")], lines.as_bytes());
    assert_eq!(answer.status, 204, "{}", answer.body);
    let has = |name: &String| {
        let name = name.as_bytes();
        let seen = seen.lock().unwrap();
        seen.taken.iter().any(|body| body.windows(name.len()).any(|part| part == name))
    };
    let told = server.wait_for("what was lost", |server| {
        let told: Value = server.json("/api/forward")["receivers"][0].clone();
        (names.iter().all(has) && told["dead_samples"] != 0).then_some(told)
    });
    assert_eq!(told["dead_samples"], 1, "{told}");
    let reason = told["dead_reason"].as_str().unwrap();
    assert!(reason.contains("400") && reason.contains("poison!"), "{told}");
    assert_eq!(told["lost_samples"], 0, "{told}");
    let seen = seen.lock().unwrap();
    assert!(seen.refused >= 2, "halved until it stands alone: {}", seen.refused);
    let pause = seen.requests[1] - seen.requests[0];
    assert!(pause >= Duration::from_secs(2), "asked again after {pause:?}");
}

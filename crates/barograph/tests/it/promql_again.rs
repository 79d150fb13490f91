//! The same questions again and again, to Barograph, which keeps what it decoded, and to a real
//! Prometheus, while late and new samples come between.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use crate::program::{PATIENCE, Server, run, text};
use crate::promql::{
    EXPRESSIONS, Recorded, assert_same_answers, escaped, open_metrics, recorded, start_prometheus,
};
use crate::protobuf::Message;
use crate::remote_write::{Peer, now_ms, series};

/// The recording in three parts: what is there at first, what comes late, what comes then.
fn parts(all: &[Recorded], from: i64) -> [Vec<Recorded>; 3] {
    let part = |time: i64| match (time - from) / 10 {
        100.. => 2,
        // Single samples, some in a row, and for some the first and last of what was there.
        0 | 31 | 47..53 | 99 => 1,
        _ => 0,
    };
    [0, 1, 2].map(|number| {
        let of_part = |(labels, samples): &Recorded| {
            let samples = samples.iter().copied().filter(|(time, _)| part(*time) == number);
            (labels.clone(), samples.collect())
        };
        all.iter().map(of_part).collect()
    })
}

fn write(address: SocketAddr, part: &[Recorded]) {
    let request = part.iter().fold(Message::default(), |request, (labels, samples)| {
        let labels: Vec<(&str, &str)> =
            labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let samples: Vec<(i64, f64)> =
            samples.iter().map(|(time, value)| (time * 1000, *value)).collect();
        let mut sorted = labels;
        sorted.sort_unstable();
        request.message(1, &series(&sorted, &samples))
    });
    let body = snap::raw::Encoder::new().compress_vec(&request.0).unwrap();
    let head = format!(
        "POST /api/v1/write HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n\
         Content-Encoding: snappy\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&body).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.lines().next().unwrap_or_default();
    assert!(status.contains(" 204") || status.contains(" 200"), "{answer}");
}

/// Takes remote write, late samples too.
fn prometheus(folder: &Path, server: &Server) -> Option<(Peer, SocketAddr)> {
    let settings = "storage: {tsdb: {out_of_order_time_window: 2h}}\n";
    let argument = "--web.enable-remote-write-receiver";
    start_prometheus(server, folder, settings, &folder.join("tsdb"), argument)
}

/// No range ends on a sample, for the reason that stands at [`EXPRESSIONS`].
fn paths(expr: &str, first: i64, last: i64) -> [String; 3] {
    let query = escaped(expr);
    [
        format!("/api/v1/query?query={query}&time={}", last - 7),
        format!("/api/v1/query_range?query={query}&start={first}&end={last}&step=10"),
        format!("/api/v1/query_range?query={query}&start={}&end={last}&step=20", first + 3),
    ]
}

#[test]
fn answers_stay_those_of_a_real_prometheus_when_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // All of it lies in the past, and steps of all subqueries lie on the same samples each time.
    let from = (now_ms() / 30_000 - 44) * 30;
    let [first, late, newer] = parts(&recorded(from), from);
    let file = folder.path().join("first.txt");
    std::fs::write(&file, open_metrics(&first)).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let taken = run(&["store", "import", &path(&file), "--data", &path(&data)]);
    assert!(taken.status.success(), "{}", text(&taken.stderr));
    let server = Server::start(&data);
    let Some((_peer, prometheus)) = prometheus(folder.path(), &server) else { return };
    write(prometheus, &first);

    let ask_all = |shift: i64, last: i64| {
        for expr in EXPRESSIONS.iter().filter(|expr| !expr.contains("__name__")) {
            // No range of a counter begins before its first sample: where it began is guessed
            // otherwise by Prometheus 3 than by 2.
            for path in paths(expr, from + 600 + shift, from + last + shift) {
                assert_same_answers(server.address, prometheus, &path);
            }
        }
    };
    // Something is kept once it is asked for again and a second has passed.
    server.wait_for("decoded samples that are kept", |server| {
        ask_all(0, 980);
        let metrics = server.get("/metrics");
        let mut lines = metrics.lines();
        let kept = lines.find_map(|line| line.strip_prefix("barograph_store_decoded_bytes "))?;
        (kept != "0").then_some(())
    });
    ask_all(0, 980);
    ask_all(40, 980);
    for (part, last) in [(&late, 980), (&newer, 1180)] {
        for address in [server.address, prometheus] {
            write(address, part);
        }
        for shift in [0, 0, 10, -130] {
            ask_all(shift, last);
        }
    }
}

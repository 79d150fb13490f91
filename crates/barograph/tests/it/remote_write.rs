//! Remote write: hand-made requests, and real senders.

use std::process::{Child, Stdio};

use barograph_model::{METRIC_NAME, SystemClock};

use crate::program::{Answer, Server, free_port, peer_program, stored};
use crate::protobuf::Message;

const V1: &str = "application/x-protobuf";
const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn send(server: &Server, content_type: &str, request: &Message) -> Answer {
    let body = snap::raw::Encoder::new().compress_vec(&request.0).unwrap();
    server.post("/api/v1/write", &[("Content-Type", content_type)], &body)
}

pub(crate) fn now_ms() -> i64 {
    barograph_model::Clock::now_ms(&SystemClock::new())
}

pub(crate) fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Message {
    let labels = labels.iter().fold(Message::default(), |series, (name, value)| {
        series.message(1, &Message::default().text(1, name).text(2, value))
    });
    samples.iter().fold(labels, |series, (time_ms, value)| {
        series.message(2, &Message::default().double(1, *value).varint(2, time_ms.cast_unsigned()))
    })
}

#[test]
fn what_is_acknowledged_survives_a_kill_and_what_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = now_ms();
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let good =
        series(&[(METRIC_NAME, "m"), ("a", "1")], &[(now_ms, 1.5), (now_ms - 60_000, stale)]);
    let answer = send(&server, V1, &Message::default().message(1, &good));
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));

    let twice = series(&[(METRIC_NAME, "m"), ("a", "1"), ("a", "2")], &[(now_ms, 1.0)]);
    let ahead = series(&[(METRIC_NAME, "m"), ("a", "1")], &[(i64::MAX, 1.0), (now_ms - 1, 2.5)]);
    let nameless = series(&[("a", "1")], &[(now_ms, 1.0)]);
    let native = series(&[(METRIC_NAME, "h")], &[]).message(4, &Message::default());
    let mixed = [&twice, &ahead, &nameless, &native];
    let request = mixed.iter().fold(Message::default(), |all, one| all.message(1, one));
    let answer = send(&server, V1, &request);
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "partly_refused"));
    for part in [
        "4 of 5 samples were not stored",
        "label `a` is given twice",
        "1 are too far in the future",
        "h is a native histogram; send classic buckets",
    ] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    server.kill();

    let found = stored(&data, "m");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].times, [now_ms - 60_000, now_ms - 1, now_ms]);
    assert_eq!(found[0].values[0].to_bits(), stale.to_bits());
    assert_eq!(found[0].values[1..], [2.5, 1.5]);
}

#[test]
fn version_two_is_told_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = now_ms();
    let one = |refs: &[u64], time_ms: i64| {
        let refs = refs.iter().fold(Message::default(), |all, one| all.number(*one));
        let sample = Message::default().double(1, 4.0).varint(2, time_ms.cast_unsigned());
        Message::default().message(1, &refs).message(2, &sample)
    };
    let symbols = ["", METRIC_NAME, "modern", "a", "b"];
    let request = symbols.iter().fold(Message::default(), |all, symbol| all.text(4, symbol));
    let request =
        request.message(5, &one(&[1, 2, 3, 4], now_ms)).message(5, &one(&[1, 99], now_ms));
    let answer = send(&server, V2, &request);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("a label refers to symbol 99, there are 5"), "{}", answer.body);
    for header in ["samples-written: 1", "histograms-written: 0", "exemplars-written: 0"] {
        let header = format!("x-prometheus-remote-write-{header}\r\n");
        assert!((answer.head.clone() + "\r\n").contains(&header), "{}", answer.head);
    }
    server.kill();
    assert_eq!(stored(&data, "modern")[0].values, [4.0]);
}

#[test]
fn bodies_that_lie_about_their_size_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let headers = [("Content-Type", V1)];
    let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3, 4, 5, 6, 7];
    let before = peak_kib(&server);
    for _ in 0..8 {
        let answer = server.post("/api/v1/write", &headers, &bomb);
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_snappy"));
    }
    assert!(peak_kib(&server) < before + 64 * 1024, "{} then {}", before, peak_kib(&server));
    let honest = snap::raw::Encoder::new().compress_vec(&vec![0; 65 * 1024 * 1024]).unwrap();
    let answer = server.post("/api/v1/write", &headers, &honest);
    assert_eq!((answer.status, answer.error_code().as_str()), (413, "too_large"));
    let answer = server.post("/api/v1/write", &headers, b"");
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_snappy"));
    let answer = server.post("/api/v1/write", &[("Content-Encoding", "zstd")], b"x");
    assert_eq!((answer.status, answer.error_code().as_str()), (415, "unsupported_media_type"));
    let garbage = send(&server, V1, &Message(vec![0x0a, 50, 1]));
    assert_eq!((garbage.status, garbage.error_code().as_str()), (400, "bad_request"));
}

/// The most memory that the server ever had, where the system tells.
fn peak_kib(server: &Server) -> u64 {
    let path = format!("/proc/{}/status", server.pid());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Another program, ended when dropped.
pub(crate) struct Peer(pub(crate) Child);

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().unwrap();
    }
}

fn settings(target: u16, write_to: Option<&Server>) -> String {
    let scrape = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: itself\n  \
         static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n"
    );
    let write = write_to.map_or_else(String::new, |server| {
        format!(
            "remote_write:\n- url: http://{}/api/v1/write\n  \
             queue_config: {{batch_send_deadline: 1s}}\n  \
             metadata_config: {{send_interval: 1s}}\n",
            server.address
        )
    });
    scrape + &write
}

/// Waits until a sender's samples have come, and checks that all of them were taken.
fn wait_for_samples(server: &Server) {
    let sender = server.wait_for("samples by remote write", |server| {
        let answer = server.json("/api/ingest");
        let sender = answer["sources"].as_array().unwrap().first()?.clone();
        (sender["series"].as_u64() > Some(50) && sender["writes"].as_u64() > Some(3))
            .then_some(sender)
    });
    assert_eq!(sender["door"], "remote_write");
    assert_eq!(sender["source"], "127.0.0.1");
    assert_eq!(sender["complaint"], serde_json::Value::Null, "{sender}");
}

#[test]
fn a_real_prometheus_writes_here() {
    let Some(mut prometheus) = peer_program("prometheus") else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let (port, file) = (free_port(), folder.path().join("prometheus.yml"));
    std::fs::write(&file, settings(port, Some(&server))).unwrap();
    let peer = prometheus
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(Stdio::null())
        .spawn();
    let peer = Peer(peer.unwrap());
    wait_for_samples(&server);
    drop(peer);
    server.stop();
    let up = stored(&data, "up");
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].labels.get("job"), Some("itself"));
    assert!(up[0].values.ends_with(&[1.0]), "{:?}", up[0].values);
    let series = stored(&data, "prometheus_tsdb_head_series");
    assert!(series[0].values.last().unwrap() > &50.0, "{series:?}");
}

#[test]
fn a_real_vmagent_writes_here() {
    let Some(mut vmagent) = peer_program("vmagent") else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let (port, file) = (free_port(), folder.path().join("scrape.yml"));
    std::fs::write(&file, settings(port, None)).unwrap();
    let peer = vmagent
        .arg(format!("-promscrape.config={}", file.display()))
        .arg(format!("-remoteWrite.url=http://{}/api/v1/write", server.address))
        .arg(format!("-remoteWrite.tmpDataPath={}", folder.path().join("queue").display()))
        .arg("-remoteWrite.flushInterval=1s")
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .stderr(Stdio::null())
        .spawn();
    let peer = Peer(peer.unwrap());
    wait_for_samples(&server);
    drop(peer);
    server.stop();
    let up = stored(&data, "up");
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].labels.get("job"), Some("itself"));
    assert!(!stored(&data, "vm_app_version").is_empty());
}

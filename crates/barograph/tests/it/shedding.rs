//! What cannot be stored now is refused at every door so that its sender comes back, and taken then.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use barograph_model::{Clock as _, SystemClock};
use barograph_testkit::Disk;

use crate::program::{Answer, Server};
use crate::protobuf::Message;
use crate::pushed::sum;

/// Sends one sample by a door.
type SendBy = fn(&Server, now_ms: i64) -> Answer;

fn push(server: &Server, now_ms: i64) -> Answer {
    let body = format!("{{\"name\": \"shed_push\", \"value\": 1, \"timestamp\": {now_ms}}}");
    server.post("/api/v1/push", &[("Content-Type", "application/json")], body.as_bytes())
}

fn line_protocol(server: &Server, now_ms: i64) -> Answer {
    server.post("/write?precision=ms", &[], format!("shed value=2 {now_ms}").as_bytes())
}

fn remote_write(server: &Server, now_ms: i64) -> Answer {
    let label = Message::default().text(1, "__name__").text(2, "shed_remote_write");
    let sample = Message::default().double(1, 1.0).varint(2, now_ms.cast_unsigned());
    let series = Message::default().message(1, &label).message(2, &sample);
    let body = snap::raw::Encoder::new().compress_vec(&Message::default().message(1, &series).0);
    let kind = ("Content-Type", "application/x-protobuf");
    server.post("/api/v1/write", &[kind, ("Content-Encoding", "snappy")], &body.unwrap())
}

fn otlp(server: &Server, now_ms: i64) -> Answer {
    let kind = ("Content-Type", "application/x-protobuf");
    server.post("/v1/metrics", &[kind], &sum("shed.otlp", 1.0, 2, now_ms).0)
}

fn grpc(server: &Server, now_ms: i64) -> Answer {
    let message = sum("shed.grpc", 1.0, 2, now_ms).0;
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = [&[0], &length[..], &message].concat();
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    server.post(path, &[("Content-Type", "application/grpc")], &framed)
}

static DOORS: [(&str, SendBy); 5] = [
    ("push", push),
    ("line protocol", line_protocol),
    ("remote write", remote_write),
    ("otlp", otlp),
    ("grpc", grpc),
];

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn is_taken(door: &str, answer: &Answer) -> bool {
    if door == "grpc" {
        answer.status == 200 && header(answer, "grpc-status").is_none_or(|code| code == "0")
    } else {
        (200..300).contains(&answer.status)
    }
}

/// Takes all that is left of the disk.
fn fill(path: &Path) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for size in [64 * 1024, 4096, 512] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[test]
fn a_full_disk_refuses_at_every_door_and_says_when_to_come_back() {
    let Some(disk) = Disk::in_memory(48 * 1024 * 1024) else { return };
    let server = Server::start(&disk.path().join("data"));
    server.wait_for_values();
    let now_ms = || SystemClock::new().now_ms();
    for (door, send) in &DOORS {
        let answer = send(&server, now_ms());
        assert!(is_taken(door, &answer), "{door}: {} {}", answer.head, answer.body);
    }
    let ballast = disk.path().join("ballast");
    for (door, send) in &DOORS {
        // The journal may have room of its own for a while.
        let refusal = server.wait_for("a refusal", |server| {
            fill(&ballast);
            Some(send(server, now_ms())).filter(|answer| !is_taken(door, answer))
        });
        let said = format!("{door}: {}\n{}", refusal.head, refusal.body);
        if *door == "grpc" {
            assert_eq!(
                (refusal.status, header(&refusal, "grpc-status")),
                (200, Some("14")),
                "{said}"
            );
            assert!(refusal.head.contains("grpc-status-details-bin: "), "{said}");
        } else {
            assert_eq!(refusal.status, 503, "{said}");
            let seconds: u32 = header(&refusal, "retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds), "{said}");
        }
    }
    // What is there is read, and the rest is taken again once there is room.
    assert_eq!(server.request("/api/current_metrics", "localhost").status, 200);
    let read = server.request("/api/v1/query?query=count(shed_push)", "localhost");
    assert!(read.status == 200 && read.body.contains("\"success\""), "{}", read.body);
    fs::remove_file(&ballast).unwrap();
    for (door, send) in &DOORS {
        server.wait_for("room", |server| is_taken(door, &send(server, now_ms())).then_some(()));
    }
}

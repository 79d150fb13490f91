//! OpenTelemetry's metrics and plain pushes, sent as their senders do.

use std::io::{Read as _, Write as _};

use barograph_model::SystemClock;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::program::{Answer, PATIENCE, Server, python, stored, text};
use crate::protobuf::Message;

const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

fn now_ms() -> i64 {
    barograph_model::Clock::now_ms(&SystemClock::new())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, &answer.body)
}

/// A request of OpenTelemetry with one sum of the service `cart`.
pub(crate) fn sum(name: &str, value: f64, temporality: u64, time_ms: i64) -> Message {
    let service =
        Message::default().text(1, "service.name").message(2, &Message::default().text(1, "cart"));
    let nanos = f64::from_bits(time_ms.cast_unsigned() * 1_000_000);
    let point = Message::default().double(3, nanos).double(4, value);
    let sum = Message::default().message(1, &point).varint(2, temporality).varint(3, 1);
    let metric = Message::default().text(1, name).message(7, &sum);
    let resource = Message::default()
        .message(1, &Message::default().message(1, &service))
        .message(2, &Message::default().message(2, &metric));
    Message::default().message(1, &resource)
}

#[test]
fn opentelemetry_in_protobuf_is_stored_and_deltas_are_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = now_ms();
    let whole = sum("http.requests", 7.5, 2, now_ms);
    let answer = server.post("/v1/metrics", &[PROTOBUF], &whole.0);
    assert_eq!(told(&answer), (200, ""));
    assert!(answer.head.contains("content-type: application/x-protobuf"), "{}", answer.head);
    for (value, time_ms) in [(2.0, now_ms - 1000), (3.0, now_ms)] {
        let body = gzip(&sum("orders", value, 1, time_ms).0);
        let answer = server.post("/api/v1/otlp/v1/metrics", &[PROTOBUF, GZIP], &body);
        assert_eq!(told(&answer), (200, ""));
    }
    let answer = server.post("/v1/metrics", &[PROTOBUF], &sum("odd", 1.0, 0, now_ms).0);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("odd_total: its temporality is neither"), "{}", answer.body);
    let broken = server.post("/v1/metrics", &[PROTOBUF], &whole.0[..whole.0.len() - 3]);
    assert_eq!(broken.status, 400);
    assert!(broken.body.contains("the protobuf message is malformed"), "{}", broken.body);
    server.kill();

    let requests = stored(&data, "http_requests_total");
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].labels.to_string(), r#"http_requests_total{job="cart"}"#);
    assert_eq!((&requests[0].times[..], &requests[0].values[..]), (&[now_ms][..], &[7.5][..]));
    assert_eq!(stored(&data, "orders_total")[0].values, [2.0, 5.0]);
    assert!(stored(&data, "odd_total").is_empty());
}

/// Exports by OpenTelemetry's SDK for Python, as a program that uses it does.
const SDK: &str = "
import sys
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
exporter = OTLPMetricExporter(endpoint=sys.argv[1], compression=Compression.Gzip)
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3600000)
resource = Resource.create({'service.name': 'shop', 'service.instance.id': 'i-1',
                            'deployment.environment.name': 'test'})
provider = MeterProvider(metric_readers=[reader], resource=resource)
meter = provider.get_meter('m')
meter.create_counter('sdk.orders').add(5, {'region': 'eu'})
wait = meter.create_histogram('sdk.wait', unit='s', explicit_bucket_boundaries_advisory=[1, 2])
for seconds in (0.5, 1.5, 9):
    wait.record(seconds)
assert provider.force_flush()
provider.shutdown()
";

#[test]
fn opentelemetrys_python_sdk_is_understood() {
    sdk_is_understood(SDK, "/v1/metrics");
}

#[test]
fn opentelemetrys_python_sdk_is_understood_over_grpc() {
    let script = SDK
        .replace(
            "from opentelemetry.exporter.otlp.proto.http import Compression",
            "from grpc import Compression",
        )
        .replace("proto.http.metric_exporter", "proto.grpc.metric_exporter")
        .replace("compression=", "insecure=True, compression=");
    sdk_is_understood(&script, "");
}

fn sdk_is_understood(script: &str, path: &str) {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let promote = "[ingest]\notlp_promote_resource_attributes = ['deployment.environment.name']\n";
    std::fs::write(folder.path().join("barograph.toml"), promote).unwrap();
    let server = Server::start(&data);
    let endpoint = format!("http://{}{path}", server.address);
    let output = python.args(["-c", script, &endpoint]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer = server.json("/api/ingest");
    assert_eq!(answer["sources"][0]["door"], "otlp", "{answer}");
    assert_eq!(answer["sources"][0]["complaint"], serde_json::Value::Null, "{answer}");
    // It speaks HTTP/1 as before; it is well when it has read the machine.
    server.wait_for_values();
    assert_eq!(server.request("/healthz", "localhost").status, 200);
    server.stop();
    let orders = stored(&data, "sdk_orders_total");
    let labels = r#"sdk_orders_total{deployment_environment_name="test",instance="i-1",job="shop",region="eu"}"#;
    assert_eq!(orders[0].labels.to_string(), labels);
    assert_eq!(orders[0].values.last(), Some(&5.0));
    let buckets = stored(&data, "sdk_wait_seconds_bucket");
    let below = |bound: &str| {
        let bucket = buckets.iter().find(|one| one.labels.get("le") == Some(bound));
        bucket.and_then(|bucket| bucket.values.last().copied())
    };
    assert_eq!(["1", "2", "+Inf"].map(below), [Some(1.0), Some(2.0), Some(3.0)], "{buckets:?}");
    assert_eq!(stored(&data, "sdk_wait_seconds_sum")[0].values.last(), Some(&11.0));
    assert_eq!(stored(&data, "target_info")[0].labels.get("job"), Some("shop"));
}

#[test]
fn opentelemetry_in_json_is_stored_and_what_is_rejected_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = now_ms();
    let point = |value: f64, time_ms: i64| {
        format!(r#"{{"asDouble": {value}, "timeUnixNano": "{time_ms}000000"}}"#)
    };
    let body = format!(
        r#"{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{{"name": "room.temp",
            "unit": "Cel", "gauge": {{"dataPoints": [{}, {}]}}}}]}}]}}]}}"#,
        point(21.5, now_ms),
        point(22.5, now_ms + 48 * 3_600_000)
    );
    let answer = server.post("/v1/metrics", &[JSON], body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let partial = serde_json::from_str::<serde_json::Value>(&answer.body).unwrap();
    assert_eq!(partial["partialSuccess"]["rejectedDataPoints"], "1");
    assert!(answer.body.contains("too far in the future"), "{}", answer.body);
    let broken = server.post("/v1/metrics", &[JSON], br#"{"resourceMetrics": [}"#);
    assert_eq!((broken.status, broken.error_code().as_str()), (400, "bad_request"));
    assert!(broken.body.contains("line 1 column 22"), "{}", broken.body);
    let other = server.post("/v1/metrics", &[("Content-Type", "text/plain")], b"x");
    assert_eq!((other.status, other.error_code().as_str()), (415, "unsupported_media_type"));
    server.kill();
    let found = stored(&data, "room_temp_celsius");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].times[..], &found[0].values[..]), (&[now_ms][..], &[21.5][..]));
}

#[test]
fn compressed_bodies_stop_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let bomb = gzip(&vec![b' '; 80 * 1024 * 1024]);
    for path in ["/v1/metrics", "/api/v1/push"] {
        let answer = server.post(path, &[JSON, GZIP], &bomb);
        assert_eq!((answer.status, answer.error_code().as_str()), (413, "too_large"), "{path}");
        let answer = server.post(path, &[JSON, GZIP], b"no gzip");
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_body"), "{path}");
        let zstd = ("Content-Encoding", "zstd");
        let answer = server.post(path, &[JSON, zstd], b"x");
        assert_eq!(answer.status, 415, "{path}");
    }
    let answer = server.json("/api/ingest");
    assert_eq!(answer["bytes_in_flight"], 0, "{answer}");
}

#[test]
fn who_is_refused_while_sending_can_send_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut socket = std::net::TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = "POST /write?precision=weeks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = vec![0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 400");
    // A connection that was closed with the answer would be reset by the first of these.
    for _ in 0..3 {
        socket.write_all(&vec![b'x'; 100_000]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    socket.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("bad_parameter"));
}

#[test]
fn json_lines_are_stored_and_bad_ones_named_by_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = now_ms();
    let body = format!(
        "{{\"name\": \"queue\", \"labels\": {{\"q\": \"mail\"}}, \"value\": 17, \
           \"timestamp\": {now_ms}}}\n\n\
         {{\"name\": \"queue\", \"vlaue\": 1}}\n\
         {{\"name\": \"depth\", \"value\": 3}}\n"
    );
    let answer = server.post("/api/v1/push", &[JSON], body.as_bytes());
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "partly_refused"));
    assert!(answer.body.contains("1 of 3 samples were not stored"), "{}", answer.body);
    assert!(answer.body.contains("line 3: "), "{}", answer.body);
    assert!(answer.body.contains("unknown field `vlaue`"), "{}", answer.body);
    let ndjson = ("Content-Type", "application/x-ndjson");
    let good = gzip(br#"{"name": "late", "value": 1}"#);
    let answer = server.post("/api/v1/push", &[ndjson, GZIP], &good);
    assert_eq!(told(&answer), (204, ""));
    server.kill();
    let queue = stored(&data, "queue");
    assert_eq!(queue.len(), 1, "{queue:?}");
    assert_eq!(queue[0].labels.to_string(), r#"queue{q="mail"}"#);
    assert_eq!((&queue[0].times[..], &queue[0].values[..]), (&[now_ms][..], &[17.0][..]));
    assert_eq!(stored(&data, "depth")[0].values, [3.0]);
    assert!(stored(&data, "depth")[0].times[0] >= now_ms);
    assert_eq!(stored(&data, "late")[0].values, [1.0]);
}

#[test]
fn the_line_protocol_is_stored_and_bad_lines_named_by_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_s = now_ms() / 1000;
    let plain = [("Content-Type", "text/plain; charset=utf-8")];
    let body = format!("# a remark\ncpu,host=web-1 idle=98.5,n=3i {now_s}\ncpu,host idle=1\n");
    let answer = server.post("/api/v2/write?bucket=b&precision=s", &plain, body.as_bytes());
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "partly_refused"));
    assert!(answer.body.contains("1 of 3 samples were not stored"), "{}", answer.body);
    assert!(answer.body.contains("line 3: `host` is not in the form"), "{}", answer.body);
    let answer = server.post("/api/v1/push", &[], b"disk,path=/a value=2");
    assert_eq!(told(&answer), (204, ""));
    let body = gzip(format!("net up=true {now_s}000000000").as_bytes());
    assert_eq!(told(&server.post("/write?db=d", &[GZIP], &body)), (204, ""));
    let answer = server.post("/write?precision=weeks", &[], b"a b=1");
    assert_eq!((answer.status, answer.error_code().as_str()), (400, "bad_parameter"));
    server.kill();
    let idle = stored(&data, "cpu_idle");
    assert_eq!(idle.len(), 1, "{idle:?}");
    assert_eq!(idle[0].labels.to_string(), r#"cpu_idle{host="web-1"}"#);
    assert_eq!((&idle[0].times[..], &idle[0].values[..]), (&[now_s * 1000][..], &[98.5][..]));
    assert_eq!(stored(&data, "cpu_n")[0].values, [3.0]);
    assert_eq!(stored(&data, "disk")[0].labels.to_string(), r#"disk{path="/a"}"#);
    assert_eq!(stored(&data, "net_up")[0].times, [now_s * 1000]);
}

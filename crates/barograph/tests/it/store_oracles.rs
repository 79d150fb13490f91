//! What is exported and imported, beside the programs that the formats come from: Prometheus'
//! promtool, Python's strict OpenMetrics parser, Apache Arrow's Parquet reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::program::{free_port, peer_program, python, run, text};
use crate::remote_write::Peer;

const START: i64 = 1_763_812_800_000;

/// Values of many kinds, at regular and irregular times, over two days.
fn page() -> String {
    let mut page = String::new();
    for series in 0..12_i64 {
        let name = ["counter_like", "gauge_like", "noise"][usize::try_from(series % 3).unwrap()];
        let mut state = series.unsigned_abs() + 1;
        let mut time_ms = START + series;
        let mut counter = 0;
        for i in 0..1500_i64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let noise = i64::try_from(state >> 40).unwrap();
            counter += noise % 1000;
            time_ms += if series < 6 { 60_000 } else { 1 + noise % 180_000 };
            let value = match series % 3 {
                0 => counter as f64,
                1 if i % 200 < 100 => f64::from(7),
                1 => noise as f64 / 64.0,
                _ if i == 700 => f64::INFINITY,
                _ => (noise as f64 - 8e6) * 1.1e-9 * (i as f64).exp2().min(1e200),
            };
            let value = if value.is_infinite() { "+Inf".to_owned() } else { value.to_string() };
            let (seconds, millis) = (time_ms / 1000, time_ms % 1000);
            writeln!(
                page,
                "{name}{{id=\"{series}\",text=\"a \\\"b\\\" \\\\c\"}} {value} {seconds}.{millis:03}"
            )
            .unwrap();
        }
    }
    let mut lines: Vec<&str> = page.lines().collect();
    // Series by series of one metric, as the format wants it; a stable sort keeps times in order.
    lines.sort_by_key(|line| line.split("\",").next().map(str::to_owned));
    let mut sorted = String::new();
    let mut last = "";
    for line in lines {
        let name = line.split('{').next().unwrap();
        if name != last {
            writeln!(sorted, "# TYPE {name} unknown").unwrap();
            last = name;
        }
        sorted += line;
        sorted.push('\n');
    }
    sorted + "# EOF\n"
}

#[track_caller]
fn done(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn export(data: &Path, format: &str, file: &Path) {
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    done(&["store", "export", "--format", format, "--data", data, "-o", file]);
}

fn import(file: &Path, data: &Path) {
    done(&["store", "import", file.to_str().unwrap(), "--data", data.to_str().unwrap()]);
}

/// Samples by series and time; values as they are written.
fn samples(page: &str) -> BTreeMap<(String, String), f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (rest, time) = line.rsplit_once(' ').unwrap();
        let (series, value) = rest.rsplit_once(' ').unwrap();
        let seconds: f64 = time.parse().unwrap();
        ((series.to_owned(), format!("{seconds:.3}")), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

#[test]
fn blocks_that_prometheus_makes_of_an_export_are_imported_bit_by_bit() {
    let Some(mut promtool) = peer_program("promtool") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("page.txt"), page()).unwrap();
    import(&at("page.txt"), &at("first"));
    export(&at("first"), "openmetrics", &at("out.txt"));
    let out = fs::read_to_string(at("out.txt")).unwrap();
    assert_eq!(samples(&out), samples(&page()));

    let (from, to) = (at("out.txt"), at("blocks"));
    let args = ["tsdb", "create-blocks-from", "openmetrics"];
    let made = promtool.args(args).args([&from, &to]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(fs::read_dir(&to).unwrap().count() > 3, "several blocks");
    import(&to, &at("second"));
    export(&at("second"), "openmetrics", &at("again.txt"));
    assert_eq!(fs::read_to_string(at("again.txt")).unwrap(), out);

    // A damaged block fails as a whole, and says where.
    let block = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path());
    let chunks =
        block.map(|block| block.join("chunks/000001")).find(|file| file.is_file()).unwrap();
    let mut bytes = fs::read(&chunks).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&chunks, bytes).unwrap();
    let failed =
        run(&["store", "import", to.to_str().unwrap(), "--data", at("third").to_str().unwrap()]);
    let said = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1));
    assert!(said.contains("000001 at byte ") && said.contains("damaged"), "{said}");
    assert!(!at("third").exists(), "what was made for it is gone");
}

/// Asks until a server answers with 2xx.
fn wait_for_answer(address: SocketAddr, method: &str, path: &str) {
    for _ in 0..600 {
        if let Ok(mut socket) = TcpStream::connect(address) {
            let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
            socket.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            if answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{path}: not answered within a minute");
}

#[test]
fn a_real_prometheus_is_imported_from_its_files_and_over_remote_read() {
    let (Some(mut promtool), Some(mut prometheus)) =
        (peer_program("promtool"), peer_program("prometheus"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("page.txt"), page()).unwrap();
    let args = ["tsdb", "create-blocks-from", "openmetrics"];
    let made = promtool.args(args).args([at("page.txt"), at("blocks")]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    fs::write(at("prometheus.yml"), "scrape_configs: []\n").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let peer = prometheus
        .arg(format!("--config.file={}", at("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", at("blocks").display()))
        .arg("--storage.tsdb.retention.time=100y")
        .arg(format!("--web.listen-address={address}"))
        .arg("--web.enable-admin-api")
        .stderr(Stdio::null())
        .spawn();
    let peer = Peer(peer.unwrap());
    wait_for_answer(address, "GET", "/-/ready");
    // An hour of one series, and all of another.
    let (from_ms, to_ms) = (START + 3_600_000, START + 7_200_000);
    let delete = "/api/v1/admin/tsdb/delete_series?match[]=";
    let hour = format!("%7Bid%3D%220%22%7D&start={}&end={}", from_ms / 1000, to_ms / 1000);
    wait_for_answer(address, "POST", &format!("{delete}{hour}"));
    wait_for_answer(address, "POST", &format!("{delete}%7Bid%3D%227%22%7D"));
    let url = format!("http://{address}/api/v1/read");
    let from = (START - 1).to_string();
    let to = (START + 3 * 86_400_000).to_string();
    let read = ["store", "import", "--read-from", &url, "--from", &from, "--to", &to];
    let folders = ["read", "one", "none"].map(|name| at(name).to_str().unwrap().to_owned());
    let into = |folder: usize, more: &[&'static str]| {
        [&read[..], &["--data", &folders[folder]], more].concat()
    };
    done(&into(0, &[]));
    let said = done(&into(1, &["--match", "{id=\"3\"}"]));
    assert!(said.starts_with("imported 1500 samples of 1 series"), "{said}");
    drop(peer);
    let failed = run(&into(2, &[]));
    assert_eq!(failed.status.code(), Some(1));
    let said = text(&failed.stderr);
    assert!(said.contains("nothing was imported") && said.contains(&url), "{said}");

    import(&at("blocks"), &at("data"));
    export(&at("read"), "openmetrics", &at("read.txt"));
    export(&at("data"), "openmetrics", &at("out.txt"));
    let mut expected = samples(&page());
    let all = expected.len();
    expected.retain(|(series, time), _| {
        let time_ms = (time.parse::<f64>().unwrap() * 1000.0).round();
        let is_within = (from_ms as f64..=to_ms as f64).contains(&time_ms);
        !(series.contains("id=\"7\"") || series.contains("id=\"0\"") && is_within)
    });
    assert!(expected.len() < all - 1500, "{all}, {}", expected.len());
    for file in ["out.txt", "read.txt"] {
        assert_eq!(samples(&fs::read_to_string(at(file)).unwrap()), expected, "{file}");
    }
}

const READ_OPENMETRICS: &str = r"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
for family in strict(open(sys.argv[1]).read()):
    for s in family.samples:
        print(s.name, sorted(s.labels.items()), repr(float(s.value)), round(float(s.timestamp) * 1000))
";

const READ_PARQUET: &str = r"
import sys
import pyarrow as pa, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
assert table.schema.field('timestamp').type == pa.timestamp('ms', tz='UTC'), table.schema
columns = [name for name in table.column_names if name not in ('timestamp', 'metric', 'value')]
times = table['timestamp'].cast(pa.int64()).to_pylist()
data = {name: table[name].to_pylist() for name in columns + ['metric', 'value']}
rows = []
for i, time in enumerate(times):
    labels = sorted((name, data[name][i]) for name in columns if data[name][i] is not None)
    rows.append((data['metric'][i], labels, time, repr(float(data['value'][i]))))
for metric, labels, time, value in sorted(rows):
    print(metric, labels, value, time)
";

#[test]
fn python_reads_the_same_samples_from_openmetrics_and_from_parquet() {
    if python().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("page.txt"), page()).unwrap();
    import(&at("page.txt"), &at("data"));
    export(&at("data"), "openmetrics", &at("out.txt"));
    export(&at("data"), "parquet", &at("out.parquet"));
    let read = |script: &str, file: &str| {
        let output = python().unwrap().args(["-c", script]).arg(at(file)).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = read(READ_OPENMETRICS, "page.txt");
    assert_eq!(expected.len(), 18_000);
    assert!(read(READ_OPENMETRICS, "out.txt") == expected, "OpenMetrics");
    assert!(read(READ_PARQUET, "out.parquet") == expected, "Parquet");
    let bytes = fs::metadata(at("out.parquet")).unwrap().len();
    assert!(bytes < 12 * 18_000, "{bytes} bytes");
}

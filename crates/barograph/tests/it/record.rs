//! `barograph record`: files that perfmon, spreadsheets and scripts read.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use crate::program::{ON_WINDOWS, barograph, run, text};

const UP_TIME: &str = r"\System\System Up Time";

#[test]
fn pdh_csv_has_the_header_and_a_value_in_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let args = ["record", UP_TIME, r"\Processor(*)\% Idle Time", "cpu_usage", "--every", "100ms"];
    let name = file.to_str().unwrap();
    let output = run(&[&args[..], &["--for", "500ms", "-o", name]].concat());
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("5 rows of "), "{said}");

    let csv = fs::read_to_string(&file).unwrap();
    assert!(csv.ends_with("\"\r\n"));
    let rows: Vec<Vec<&str>> =
        csv.lines().map(|line| line.trim_matches('"').split("\",\"").collect()).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0][0], "(PDH-CSV 4.0) (UTC)(0)");
    assert!(rows[0][1].starts_with(r"\\") && rows[0][1].ends_with(UP_TIME), "{csv}");
    assert!(rows[0].last().unwrap().ends_with(r"\Barograph\cpu_usage"), "{csv}");
    for row in &rows[1..] {
        assert_eq!(row.len(), rows[0].len());
        let time = as_iso(row[0]);
        assert!(time.starts_with("20"), "{csv}");
        assert!(row[1].parse::<f64>().unwrap() > 0.0, "{csv}");
    }
    // The first row holds values of what takes two readings, too.
    assert!(rows[1].iter().all(|cell| *cell != " "), "{csv}");
}

/// `MM/DD/YYYY HH:MM:SS.mmm` as `YYYY-MM-DD…`.
fn as_iso(cell: &str) -> String {
    let (date, time) = cell.split_once(' ').unwrap();
    let parts: Vec<_> = date.split('/').collect();
    assert_eq!((date.len(), time.len(), parts.len()), (10, 12, 3), "{cell}");
    format!("{}-{}-{} {time}", parts[2], parts[0], parts[1])
}

#[test]
fn a_file_that_is_there_is_only_written_anew_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    fs::write(&file, "precious").unwrap();
    let name = file.to_str().unwrap();
    let args = ["record", UP_TIME, "--every", "100ms", "--for", "100ms", "--format", "csv", "-o"];
    // At once, not when the first row is due.
    let refused = run(&["record", UP_TIME, "--every", "1h", "-o", name]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("is there already"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(run(&[&args[..], &[name, "--force"]].concat()).status.success());
    let csv = fs::read_to_string(&file).unwrap();
    assert!(csv.starts_with("timestamp,\\System\\System Up Time\r\n20"), "{csv}");
}

#[test]
fn a_recording_that_ends_before_its_first_row_says_so() {
    const SIGINT_BIT: u64 = 1 << 1;
    if ON_WINDOWS {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let args = ["record", UP_TIME, "--every", "1h", "-o", file.to_str().unwrap()];
    let mut child = barograph().args(args).stderr(Stdio::piped()).spawn().unwrap();
    // From then on it ends by itself.
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & SIGINT_BIT != 0 {
            break;
        }
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    assert!(interrupt(child.id()));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    let expect = format!("ended before the first row was due; {} was not written", file.display());
    assert_eq!(said.trim(), expect);
    assert!(!file.exists());
}

#[test]
fn a_recording_that_is_interrupted_keeps_what_was_written() {
    if ON_WINDOWS {
        return;
    }
    let args = ["record", UP_TIME, "process_count", "--every", "100ms", "--format", "jsonl"];
    let mut child =
        barograph().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    // Two rows are there, and so it runs.
    while text(&seen).lines().count() < 3 {
        let mut buffer = [0; 512];
        let count = out.read(&mut buffer).unwrap();
        assert!(count > 0, "it ended by itself");
        seen.extend_from_slice(&buffer[..count]);
    }
    let sent = interrupt(child.id());
    assert!(sent);
    out.read_to_end(&mut seen).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
    for line in text(&seen).lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["values"][UP_TIME].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["values"]["process_count"].as_f64().unwrap() >= 1.0, "{row}");
    }
}

#[expect(clippy::disallowed_methods, reason = "tests send signals")]
fn interrupt(process: u32) -> bool {
    let args = ["-INT", &process.to_string()];
    std::process::Command::new("kill").args(args).status().unwrap().success()
}

#[test]
fn mistakes_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let name = file.to_str().unwrap();
    for (what, words) in [
        ("cpu_usge", "near to it: `cpu_usage`"),
        (r"\Memory\Availabel Bytes", "near to it: `Available Bytes`"),
        (r"\Memory(", "bracket"),
    ] {
        let output = run(&["record", what, "-o", name]);
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
        assert!(!file.exists());
    }
}

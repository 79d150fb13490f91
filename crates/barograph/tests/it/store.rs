//! The data folder from the command line: backup beside a running server, checks, export, import.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::program::{Server, run, text};

const PDH: &str = "\"(PDH-CSV 4.0) (W. Europe Standard Time)(-60)\",\
    \"\\\\DB-1\\Processor(_Total)\\% Processor Time\",\"\\\\DB-1\\Memory\\Available MBytes\"\r\n\
    \"11/22/2025 13:00:00.000\",\"12.5\",\" \"\r\n\
    \"11/22/2025 13:00:01.000\",\"13.25\",\"2048\"\r\n";

#[track_caller]
fn done(args: &[&str]) -> Output {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    output
}

fn json(args: &[&str]) -> serde_json::Value {
    serde_json::from_slice(&done(args).stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_of_a_running_server_is_restored_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    let server = Server::start(&data);
    server.wait_for_values();
    let points = |server: &Server| {
        let points = server.json("/api/historical_metrics/memory_percent?hours=1");
        points.as_array().unwrap().clone()
    };
    let before =
        server.wait_for("points", |server| Some(points(server)).filter(|points| points.len() >= 2));
    let made = json(&["backup", path(&target), "--data", path(&data), "--json"]);
    assert!(made["copied_files"].as_u64().unwrap() >= 2, "{made}");
    let again = json(&["backup", path(&target), "--data", path(&data), "--json"]);
    assert!(again["files"].as_u64() >= made["files"].as_u64(), "{again}");
    let sound = json(&["store", "verify", "--data", path(&data), "--json"]);
    assert_eq!(sound["sound"], true, "{sound}");
    drop(server);

    let other = folder.path().join("other");
    done(&["restore", path(&target), "--data", path(&other)]);
    let refused = run(&["restore", path(&target), "--data", path(&other)]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("is not empty"), "{}", text(&refused.stderr));
    let server = Server::start(&other);
    let after = server.wait_for("points", |server| {
        Some(points(server)).filter(|points| points.len() >= before.len())
    });
    assert_eq!(after[..before.len()], before[..]);
}

#[test]
fn damage_is_told_with_its_file_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(folder.path().join("log.csv"), PDH).unwrap();
    done(&["store", "import", path(&folder.path().join("log.csv")), "--data", path(&data)]);
    let file = fs::read_dir(data.join("raw")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x55);
    fs::write(&file, bytes).unwrap();
    let checked = run(&["store", "verify", "--data", path(&data)]);
    assert_eq!(checked.status.code(), Some(1));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(text(&checked.stdout).contains(name), "{}", text(&checked.stdout));
    let nothing = run(&["store", "verify", "--data", path(&folder.path().join("nothing"))]);
    assert_eq!(nothing.status.code(), Some(3));
    assert!(text(&nothing.stderr).contains("there is no folder"), "{}", text(&nothing.stderr));
}

#[test]
fn counter_logs_are_imported_in_utc_and_exported_as_text_that_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log.csv"));
    fs::write(&log, PDH).unwrap();
    let report = json(&["store", "import", path(&log), "--data", path(&data), "--json"]);
    assert_eq!((&report["samples"], &report["series"]), (&3.into(), &2.into()), "{report}");
    assert_eq!(report["taken_up"], true);
    let export = |data: &Path, format: &str| {
        text(&done(&["store", "export", "--format", format, "--data", path(data)]).stdout)
    };
    let page = "# TYPE counter_memory_available_mbytes unknown\n\
        counter_memory_available_mbytes{host=\"DB-1\"} 2048 1763812801\n\
        # TYPE counter_processor_percent_processor_time unknown\n\
        counter_processor_percent_processor_time{host=\"DB-1\",instance=\"_Total\"} 12.5 1763812800\n\
        counter_processor_percent_processor_time{host=\"DB-1\",instance=\"_Total\"} 13.25 1763812801\n\
        # EOF\n";
    assert_eq!(export(&data, "openmetrics"), page);
    let table = export(&data, "csv");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "timestamp,metric,host,instance,value");
    assert_eq!(rows[1], "2025-11-22T12:00:01.000Z,counter_memory_available_mbytes,DB-1,,2048");
    assert_eq!(rows.len(), 4);

    let copy = folder.path().join("copy");
    let file = folder.path().join("page.txt");
    fs::write(&file, page).unwrap();
    done(&["store", "import", path(&file), "--data", path(&copy), "--label", "site=a"]);
    let expected = page.replace("host=\"DB-1\"}", "host=\"DB-1\",site=\"a\"}");
    let expected = expected.replace("\"_Total\"", "\"_Total\",site=\"a\"");
    assert_eq!(export(&copy, "openmetrics"), expected);

    let narrow = done(&[
        "store",
        "export",
        "--format",
        "csv",
        "--data",
        path(&data),
        "--match",
        "{instance=\"_Total\"}",
        "--from",
        "2025-11-22T12:00:01Z",
    ]);
    assert_eq!(text(&narrow.stdout).lines().count(), 2);
}

#[test]
fn a_failed_import_leaves_nothing_and_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let (data, good, bad) =
        (folder.path().join("data"), folder.path().join("good.csv"), folder.path().join("bad.csv"));
    fs::write(&good, PDH).unwrap();
    fs::write(&bad, PDH.replace("13.25", "many")).unwrap();
    let failed = run(&["store", "import", path(&good), path(&bad), "--data", path(&data)]);
    assert_eq!(failed.status.code(), Some(1));
    let said = text(&failed.stderr);
    assert!(said.contains("bad.csv: line 3: `many` in column 2 is not a number"), "{said}");
    assert!(!data.exists());
}

#[test]
fn an_import_goes_into_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log.csv"));
    let now_ms = barograph_model::Clock::now_ms(&barograph_model::SystemClock::new());
    let old = format!(
        "# TYPE cpu_count gauge\ncpu_count{{host=\"old\"}} 77 {}.0\n# EOF\n",
        now_ms / 1000 - 60
    );
    fs::write(&log, old).unwrap();
    let server = Server::start(&data);
    server.wait_for_values();
    let report = json(&["store", "import", path(&log), "--data", path(&data), "--json"]);
    assert_eq!(report["taken_up"], true);
    server.wait_for("the imported value", |server| {
        server.get("/api/range?metric=cpu_count&match=host=old").contains("77").then_some(())
    });
}

#[test]
fn a_file_that_is_there_is_not_overwritten_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out.csv"));
    fs::write(folder.path().join("log.csv"), PDH).unwrap();
    done(&["store", "import", path(&folder.path().join("log.csv")), "--data", path(&data)]);
    fs::write(&out, "mine").unwrap();
    let args = ["store", "export", "--format", "csv", "--data", path(&data), "-o", path(&out)];
    let refused = run(&args);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    done(&[&args[..], &["--force"]].concat());
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 4);
    assert!(!folder.path().join("out.csv.part").exists());
    let wrong = run(&["store", "export", "--format", "csv", "--match", "{", "--data", path(&data)]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

//! Checks run by the real program, as its configuration lists them.

use std::path::Path;

use crate::program::{ON_WINDOWS, Server, stored};

/// One that is well and one that hangs with a child of its own.
fn configure(folder: &Path) {
    let config = r#"
[[check]]
name = "disk"
command = ["/bin/sh", "-c", "echo 'DISK WARNING - / is filling | used=80%;75;90;0;100'; exit 1"]
interval = "1s"

[[check]]
name = "hanging"
command = ["/bin/sh", "-c", "sleep 86399 & wait"]
interval = "2s"
timeout = "200ms"
"#;
    std::fs::write(folder.join("barograph.toml"), config).unwrap();
}

fn one<'a>(checks: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

/// Waits until the last run of a check is another one.
fn next_run(server: &Server, name: &str, before: Option<&str>) -> serde_json::Value {
    server.wait_for("another run", |server| {
        let checks = server.json("/api/checks");
        let found = one(&checks, name);
        let last = found["last_run"].as_str()?;
        (Some(last) != before).then(|| found.clone())
    })
}

#[test]
fn checks_run_by_their_schedule_before_and_after_a_restart() {
    if ON_WINDOWS {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path());
    let data = folder.path().join("data");
    for _ in 0..2 {
        let server = Server::start(&data);
        let mut before = None;
        for _ in 0..3 {
            let disk = next_run(&server, "disk", before.as_deref());
            assert_eq!(disk["status"], "warning", "{disk}");
            assert_eq!(disk["text"], "DISK WARNING - / is filling");
            assert_eq!(disk["values"][0]["value"], 80.0, "{disk}");
            before = disk["last_run"].as_str().map(str::to_owned);
        }
        let hanging = next_run(&server, "hanging", None);
        assert_eq!(hanging["status"], "unknown", "{hanging}");
        assert_eq!(hanging["text"], "the program was ended after 200 ms (`timeout`)");
        server.stop();
    }
    let series = stored(&data, "check_status");
    for (name, status, interval_ms) in [("disk", 1.0, 1000), ("hanging", 3.0, 2000)] {
        let series = series.iter().find(|one| one.labels.get("check") == Some(name)).unwrap();
        assert!(series.values.iter().all(|value| value.to_bits() == f64::to_bits(status)));
        // Each start runs it at once; otherwise there is one run between two of its moments.
        let turns: Vec<i64> =
            series.times.iter().map(|time| time.div_euclid(interval_ms)).collect();
        let twice = turns.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(twice <= 1, "{name}: {:?}", series.times);
    }
}

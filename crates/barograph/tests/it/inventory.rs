//! `barograph inventory`, and the same over HTTP.

use std::fs;

use serde_json::Value;

use crate::program::{ON_WINDOWS, Server, run, text};

#[test]
fn the_machine_is_described_for_people_and_for_programs() {
    let page = text(&run(&["inventory"]).stdout);
    for heading in ["Computer\n", "Operating system\n", "Processors\n", "Network adapters\n"] {
        assert!(page.contains(heading), "{page}");
    }
    let body: Value = serde_json::from_slice(&run(&["inventory", "--json"]).stdout).unwrap();
    let logical = body["processors"].as_array().unwrap().iter();
    let logical: u64 = logical.map(|one| one["logical"].as_u64().unwrap()).sum();
    assert!(logical >= std::thread::available_parallelism().unwrap().get() as u64, "{body}");
    let root = if ON_WINDOWS { "C:" } else { "/" };
    let drives = body["drives"].as_array().unwrap();
    let drive = drives.iter().find(|drive| drive["mount_point"] == root).unwrap();
    assert!((0.0..=100.0).contains(&drive["used_percent"].as_f64().unwrap()), "{drive}");
    let adapters = body["adapters"].as_array().unwrap();
    let loopback = adapters.iter().find(|one| one["kind"] == "loopback");
    let addresses = loopback.map(|one| one["addresses"].to_string());
    assert!(addresses.is_none_or(|text| text.contains("127.0.0.1")), "{body}");
}

/// Where something is mounted that is no local disk, it is there with `--all`, and for a server
/// that is set to.
#[test]
fn other_file_systems_are_drives_where_they_are_asked_for() {
    if ON_WINDOWS {
        return;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let place = mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        (kind == "tmpfs" && place == "/dev/shm").then_some(place)
    });
    let Some(place) = place else { return };
    let lists = |body: &Value| {
        let drives = body["drives"].as_array().unwrap();
        let drive = drives.iter().find(|drive| drive["mount_point"] == place);
        drive.map(|drive| drive["file_system"].clone())
    };
    let told = |args: &[&str]| serde_json::from_slice::<Value>(&run(args).stdout).unwrap();
    assert_eq!(lists(&told(&["inventory", "--json"])), None);
    assert_eq!(lists(&told(&["inventory", "--json", "--all"])), Some("tmpfs".into()));
    let folder = tempfile::tempdir().unwrap();
    let settings = "[collect]\nfile_systems = ['tmp*']\n";
    fs::write(folder.path().join("barograph.toml"), settings).unwrap();
    let server = Server::start(&folder.path().join("data"));
    assert_eq!(lists(&server.json("/api/inventory")), Some("tmpfs".into()));
    server.wait_for("its size to be a metric", |server| {
        let answer = server.request("/metrics/host", "localhost");
        answer.body.contains("mountpoint=\"/dev/shm\"").then_some(())
    });
}

#[test]
fn the_machine_is_described_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let body = server.json("/api/inventory");
    assert_eq!(body["computer"]["name"], server.json("/api/host")["host"]);
    assert!(body["operating_system"]["booted_ms"].as_i64() > Some(0), "{body}");
    assert!(body["time_ms"].as_i64() > Some(0) && body["missing"].is_array(), "{body}");
}

/// An adapter that was there in the run before is missed in the next.
#[test]
fn what_changed_while_the_server_did_not_run_is_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = data.join("inventory");
    let server = Server::start(&data);
    let text = server.wait_for("the inventory to be kept", |_| fs::read_to_string(&file).ok());
    drop(server);
    let (content, _) = text.split_at(text.rfind("crc ").unwrap());
    let parts = content.trim_end().strip_suffix(']').unwrap();
    let old = r#"[["adapter","old0"],[["mac","02:00:00:00:00:09"]]]"#;
    let content = format!("{parts},{old}]\n");
    let crc = crc32c::crc32c(content.as_bytes());
    fs::write(&file, format!("{content}crc {crc:08x}\n")).unwrap();
    let server = Server::start(&data);
    let event = server.wait_for("the change to be told", |server| {
        let body = server.json("/api/events?kind=inventory_removed");
        body["events"].as_array().unwrap().first().cloned()
    });
    assert_eq!(event["subject"], "adapter old0", "{event}");
    assert_eq!(event["fields"]["from"], "mac 02:00:00:00:00:09", "{event}");
    server.wait_for("the newer inventory to be kept", |_| {
        (!fs::read_to_string(&file).unwrap().contains("old0")).then_some(())
    });
}

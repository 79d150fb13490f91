//! `barograph inventory`, and the same over HTTP.

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

#[test]
fn the_machine_is_described_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let body = server.json("/api/inventory");
    assert_eq!(body["computer"]["name"], server.json("/api/host")["host"]);
    assert!(body["operating_system"]["booted_ms"].as_i64() > Some(0), "{body}");
    assert!(body["time_ms"].as_i64() > Some(0) && body["missing"].is_array(), "{body}");
}

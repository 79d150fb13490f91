//! Services and connections: on the command line, over HTTP, in the configuration.

use std::net::TcpListener;

use serde_json::Value;

use crate::program::{ON_WINDOWS, Server, run, text};

/// Whether this machine has somebody who manages services; if not, that is what is said.
fn has_services(complaint: &str) -> bool {
    let absent = complaint.contains("services: absent on this system");
    assert!(!absent || !ON_WINDOWS && complaint.contains("no systemd"), "{complaint}");
    !absent
}

#[test]
fn services_are_listed_or_their_absence_is_explained() {
    let output = run(&["services", "--all", "--json"]);
    let complaint = text(&output.stderr);
    if !has_services(&complaint) {
        assert_eq!(output.status.code(), Some(1));
        return;
    }
    assert!(output.status.success(), "{complaint}");
    let body: Value = serde_json::from_slice(&output.stdout).unwrap();
    let services = body["services"].as_array().unwrap();
    assert_eq!(body["total"].as_u64(), Some(services.len() as u64));
    let first = services.first().unwrap()["name"].as_str().unwrap();
    let table = text(&run(&["services", first]).stdout);
    assert!(table.starts_with("SERVICE") && table.contains(first), "{table}");
    let none = text(&run(&["services", "no-such-service"]).stdout);
    assert_eq!(none.trim(), "no service fits `no-such-service`");
}

#[test]
fn services_are_answered_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let answer = server.request("/api/services?all=true", "localhost");
    if has_services(&answer.body) {
        assert_eq!(answer.status, 200, "{}", answer.body);
    } else {
        assert_eq!((answer.status, answer.error_code().as_str()), (404, "absent"));
    }
    let bad = server.request("/api/services?al=true", "localhost");
    assert_eq!((bad.status, bad.error_code().as_str()), (400, "bad_parameter"));
}

#[test]
fn connections_show_the_server_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let body = server.json("/api/connections");
    let listening = body["listening"].as_array().unwrap();
    let of = |port: u16| listening.iter().find(|one| one["port"].as_u64() == Some(port.into()));
    let own = of(server.address.port()).unwrap();
    assert_eq!(
        (own["protocol"].as_str(), &own["addresses"][0]),
        (Some("tcp"), &"127.0.0.1".into())
    );
    assert!(own["process"].as_str().unwrap().starts_with("barograph"), "{own}");
    assert!(own["connections"].as_u64() >= Some(1), "{own}");
    assert!(of(listener.local_addr().unwrap().port()).is_some());
    assert!(body["tcp"]["listen"].as_u64() >= Some(2), "{body}");
}

#[test]
fn names_of_watched_services_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("barograph.toml");
    std::fs::write(&file, "[watch]\nservices = ['ssh*', 'a/b']\n").unwrap();
    let output = run(&["check-config", "--config", file.to_str().unwrap()]);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint.contains("line 2: `watch.services` is not usable: `a/b`"), "{complaint}");
}

//! Services, connections and talkers: on the command line, over HTTP, in the configuration.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

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

/// A real sender moves bytes between two readings of the server; whom it was, and how much, is told
/// over HTTP and on the command line.
#[test]
fn the_one_who_sends_is_a_talker() {
    const BYTES: usize = 5_000_000;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let local = client.local_addr().unwrap().to_string();
    let own_end = |body: &Value| -> Value {
        let talkers = body["talkers"].as_array().unwrap();
        talkers.iter().find(|one| one["local"] == *local).unwrap().clone()
    };
    let path = "/api/talkers?by=connection&top=10000";
    let first = server.json(path);
    assert!(first["seconds"].as_f64().unwrap() >= 0.9, "{first}");
    assert_eq!(own_end(&first)["state"], "established");
    let receiving = std::thread::spawn(move || {
        peer.read_exact(&mut vec![0; BYTES]).unwrap();
        peer.write_all(&[1]).unwrap();
        peer
    });
    client.write_all(&vec![0; BYTES]).unwrap();
    client.read_exact(&mut [0]).unwrap();
    let _peer = receiving.join().unwrap();
    // An answer serves for four seconds.
    let second = server.wait_for("the next reading", |server| {
        let body = server.json(path);
        (body["time_ms"] != first["time_ms"]).then_some(body)
    });
    let end = own_end(&second);
    assert_eq!(end["pid"], std::process::id());
    if second["why_no_bytes"].is_null() {
        let carried =
            end["sent_bytes_per_second"].as_f64().unwrap() * second["seconds"].as_f64().unwrap();
        assert!((carried - BYTES as f64).abs() < 1.0, "{end} {carried}");
    } else {
        assert!(end["sent_bytes"].is_null(), "{second}");
    }
    let output = run(&["connections", "--json"]);
    let body: Value = serde_json::from_slice(&output.stdout).unwrap();
    let talkers = body["talkers"].as_array().unwrap();
    let own = talkers.iter().find(|one| one["pid"] == std::process::id()).unwrap();
    assert!(own["connections"].as_u64().unwrap() >= 2, "{own}");
    let table = text(&run(&["connections", "--by", "connection", "--top", "1000"]).stdout);
    assert!(table.lines().any(|line| line.starts_with(&local)), "{table}");
    let table = text(&run(&["connections", "--listening"]).stdout);
    let port = listener.local_addr().unwrap().port().to_string();
    assert!(table.lines().any(|line| line.starts_with(&port)), "{table}");
    let bad = server.request("/api/talkers?by=port", "localhost");
    assert_eq!((bad.status, bad.error_code().as_str()), (400, "bad_parameter"));
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

//! A server over a limit of its own says so everywhere, and goes on.

use std::fs;

use crate::program::{Server, barograph, text};

#[test]
fn past_its_own_memory_limit_it_says_so_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("barograph.toml");
    // Less than any server takes.
    fs::write(&config, "[limits]\nmemory = \"16MiB\"\n").unwrap();
    let server = Server::start(&folder.path().join("data"));
    let own = server.wait_for("a look at its own memory", |server| {
        let status = server.json("/api/status");
        Some(status["own"].clone()).filter(|own| own["over"] != serde_json::json!([]))
    });
    assert_eq!(own["over"], serde_json::json!(["memory"]), "{own}");
    assert_eq!(own["memory_limit_bytes"].as_f64(), Some(16.0 * 1024.0 * 1024.0), "{own}");
    let metrics = server.get("/metrics");
    assert!(metrics.contains("barograph_over_own_limit{what=\"memory\"} 1"), "{metrics}");
    assert!(metrics.contains("barograph_own_limits_exceeded_total 1"), "{metrics}");
    let address = format!("http://{}", server.address);
    let doctor = barograph().args(["doctor", "--server", &address]).output().unwrap();
    let said = text(&doctor.stdout);
    assert!(said.contains("more memory") && said.contains("`limits.memory` allows (16"), "{said}");
    server.wait_for_values();
}

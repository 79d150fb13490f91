//! The description of the interface, held against a running server.

use std::process::Stdio;

use serde_json::Value;

use crate::program::{Server, python, text};

/// What a request with nothing but its needed parameters is asked with.
fn example(name: &str) -> &'static str {
    match name {
        "metric" | "query" | "match[]" => "cpu_usage",
        "start" => "1700000000",
        "end" => "1700000060",
        "step" => "15",
        "kind" => "rules",
        "number" => "1",
        _ => "x",
    }
}

/// An address with examples for its parts and needed parameters.
fn asked(path: &str, operation: &Value) -> String {
    let mut address = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "path" {
            address = address.replace(&format!("{{{name}}}"), example(name));
        } else if parameter["required"] == true {
            query.push(format!("{}={}", name.replace("[]", "%5B%5D"), example(name)));
        }
    }
    if query.is_empty() { address } else { format!("{address}?{}", query.join("&")) }
}

#[test]
fn every_answer_is_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let described = server.json("/api/openapi.json");
    assert_eq!(described["openapi"], "3.1.0");
    let mut asked_count = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            // The stream never ends, and the socket needs a handshake.
            if ["/api/stream", "/api/live"].contains(&path.as_str()) {
                continue;
            }
            let address = asked(path, operation);
            let answer = server.send(&method.to_uppercase(), &address, &[], b"");
            let what = format!("{method} {address}: {} {}", answer.status, answer.body);
            assert_ne!(answer.status, 405, "{what}");
            assert!(answer.status < 500 || path == "/healthz", "{what}");
            asked_count += 1;
            let class = format!("{}XX", answer.status / 100);
            let content = &operation["responses"][&class]["content"];
            let kinds: Vec<&str> =
                content.as_object().into_iter().flatten().map(|(kind, _)| kind.as_str()).collect();
            let is_any = kinds.is_empty() || kinds == ["*/*"] || answer.body.is_empty();
            assert!(
                is_any || kinds.iter().any(|it| answer.head.contains(it)),
                "{what}: {kinds:?} {}",
                answer.head
            );
            let body = serde_json::from_str::<Value>(&answer.body);
            if !is_any && kinds == ["application/json"] {
                let body = body.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(answer.status >= 400, body["error"]["code"].is_string(), "{what}");
            }
        }
    }
    assert!(asked_count > 80);
}

/// Requests of all sorts, made up from the description: whatever is asked, nothing breaks, and each
/// answer is one that is described. What is accepted is not judged: the description says little of
/// what texts mean.
#[test]
fn made_up_requests_find_nothing_that_is_not_described() {
    const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                          response_headers_conformance,response_schema_conformance";
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let address = format!("http://{}", server.address);
    let output = python
        .args(["-m", "schemathesis.cli", "run", &format!("{address}/api/openapi.json")])
        .args(["--checks", CHECKS, "--max-examples", "5", "--seed", "1", "--no-color"])
        // The stream never ends, and the socket needs a handshake. Two take bodies that it cannot
        // make. `/healthz` answers 503 as long as something is wrong, as it should.
        .args(["--exclude-path-regex", "^/api/(live|stream|v1/push|v1/write)$|^/healthz$"])
        .args(["--phases", "coverage,fuzzing", "--suppress-health-check", "all"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [text(&output.stdout), text(&output.stderr)].concat();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Test cases"), "{said}");
    server.json("/api/status");
}

//! Scraping over TLS with sign-in, from a real server that has both.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Server, free_port, peer_program, python, text};

/// Serves a page of metrics over TLS to those who sign in: to `anna` with her password at `/basic`,
/// to the bearer of the token at `/bearer`.
const EXPORTER: &str = "
import base64, http.server, ssl, sys
wanted = {
    '/basic': 'Basic ' + base64.b64encode(b'anna:s3cret').decode(),
    '/bearer': 'Bearer t0ken',
}
class Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get('Authorization') == wanted.get(self.path, '-')
        body = b'exported_total{page=\"%s\"} 7\\n' % self.path.encode() if known else b''
        self.send_response(200 if known else 401)
        self.send_header('Content-Type', 'text/plain; version=0.0.4')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion[sys.argv[4]]
context.maximum_version = context.minimum_version
context.load_cert_chain(sys.argv[2], sys.argv[3])
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Exporter)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().unwrap_or_default();
        self.0.wait().unwrap();
    }
}

/// A certificate for `metrics.test`, signed by itself.
fn certificate(mut openssl: Command, folder: &Path) {
    let output = openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=metrics.test"])
        .args(["-addext", "subjectAltName=DNS:metrics.test"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn start(mut python: Command, folder: &Path, version: &str) -> (Exporter, String) {
    let port = free_port();
    let child = python
        .args(["-c", EXPORTER, &port.to_string()])
        .arg(folder.join("cert.pem"))
        .arg(folder.join("key.pem"))
        .arg(version)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (exporter, address) = (Exporter(child), format!("127.0.0.1:{port}"));
    // Python takes a while; a target that is not there yet is down, which is not what is asked here.
    for _ in 0..600 {
        if TcpStream::connect(&address).is_ok() {
            return (exporter, address);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the exporter at {address} does not listen");
}

#[test]
fn exporters_behind_tls_and_sign_in_are_scraped_and_others_refused() {
    let (Some(openssl), Some(one), Some(other)) = (peer_program("openssl"), python(), python())
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    certificate(openssl, folder.path());
    let (_one, address) = start(one, folder.path(), "TLSv1_3");
    let (_other, older) = start(other, folder.path(), "TLSv1_2");
    fs::write(folder.path().join("password"), "s3cret\n").unwrap();
    let ca = folder.path().join("cert.pem");
    let trusted = format!("ca_file = '{}', server_name = 'metrics.test'", ca.display());
    let untold = format!("ca_file = '{}'", ca.display());
    let anna = "basic_auth = { username = 'anna', password = 's3cret' }";
    let from_file = format!(
        "basic_auth = {{ username = 'anna', password_file = '{}' }}",
        folder.path().join("password").display()
    );
    let eve = "basic_auth = { username = 'eve', password = 's3cret' }";
    let token = "authorization = { credentials = 't0ken' }";
    let jobs = [
        ("basic", "/basic", &address, trusted.as_str(), anna, ""),
        ("file", "/basic", &address, &trusted, &from_file, ""),
        ("older", "/basic", &older, &trusted, anna, ""),
        ("bearer", "/bearer", &address, &trusted, token, ""),
        ("careless", "/bearer", &address, "insecure_skip_verify = true", token, ""),
        ("eve", "/basic", &address, &trusted, eve, "401"),
        ("nobody", "/bearer", &address, &trusted, "", "401"),
        ("stranger", "/bearer", &address, "", token, "certificate"),
        ("other name", "/bearer", &address, &untold, token, "certificate"),
    ];
    let config = jobs.iter().map(|(job, path, address, tls, sign_in, _)| {
        format!(
            "[[scrape]]\njob = '{job}'\ntargets = ['{address}']\ninterval = '1s'\n\
             scheme = 'https'\npath = '{path}'\ntls = {{ {tls} }}\n{sign_in}\n"
        )
    });
    fs::write(folder.path().join("barograph.toml"), config.collect::<String>()).unwrap();
    let server = Server::start(&folder.path().join("data"));
    let is_as_expected = |target: &Value| {
        let said = target["lastError"].as_str().unwrap();
        let job = jobs.iter().find(|job| target["scrapePool"] == job.0).unwrap();
        match job.5 {
            "" => target["health"] == "up" && said.is_empty(),
            error => target["health"] == "down" && said.contains(error),
        }
    };
    let is_asked = |target: &Value| target["health"] != "unknown";
    let targets = server.wait_for("all targets", |server| {
        let targets = server.json("/api/v1/targets")["data"]["activeTargets"].take();
        let targets = targets.as_array().unwrap().clone();
        (targets.len() == jobs.len() && targets.iter().all(is_asked)).then_some(targets)
    });
    for target in &targets {
        assert!(is_as_expected(target), "{target}");
    }
    let query = "/api/v1/query?query=count(exported_total)%20by%20(page)";
    let expected = json!([["/basic", "3"], ["/bearer", "2"]]);
    server.wait_for("the pages of all who signed in", |server| {
        let found = server.json(query)["data"]["result"].take();
        let count = |one: &Value| json!([one["metric"]["page"], one["value"][1]]);
        let counts: Vec<Value> = found.as_array().unwrap().iter().map(count).collect();
        (json!(counts) == expected).then_some(())
    });
    // Secrets are nowhere to be read.
    for path in ["/api/v1/targets", "/api/v1/status/config", "/metrics"] {
        let page = server.get(path);
        assert!(!page.contains("s3cret") && !page.contains("t0ken"), "{path}: {page}");
    }
}

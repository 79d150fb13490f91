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
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        known = self.headers.get('Authorization') == wanted.get(self.path, '-')
        scope = self.headers.get('X-Scope-OrgID', '-')
        page = 'exported_total{page=\"%s\",scope=\"%s\"} 7\\n' % (self.path, scope)
        body = page.encode() if known else b''
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

/// A certificate for `metrics.test`, signed by itself, if there is a program that makes them.
fn certificate(folder: &Path, name: &str) -> Option<()> {
    let output = peer_program("openssl")?
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=metrics.test"])
        .args(["-addext", "subjectAltName=DNS:metrics.test"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", name])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(())
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

/// A job: its name, path, address, TLS and signing in, and what is said when it fails.
type Job<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn written((job, path, address, tls, sign_in, _): &Job<'_>) -> String {
    format!(
        "[[scrape]]\njob = '{job}'\ntargets = ['{address}']\ninterval = '1s'\n\
         scheme = 'https'\npath = '{path}'\ntls = {{ {tls} }}\n{sign_in}\n"
    )
}

/// Of all who signed in.
fn pages_are_stored(server: &Server) {
    let query = "/api/v1/query?query=count(exported_total)%20by%20(page)";
    let expected = json!([["/basic", "3"], ["/bearer", "2"]]);
    server.wait_for("the pages of all who signed in", |server| {
        let found = server.json(query)["data"]["result"].take();
        let count = |one: &Value| json!([one["metric"]["page"], one["value"][1]]);
        let counts: Vec<Value> = found.as_array().unwrap().iter().map(count).collect();
        (json!(counts) == expected).then_some(())
    });
}

fn own_headers_are_sent(server: &Server) {
    let scoped = "/api/v1/query?query=exported_total%7Bscope%3D%22shop%22%7D";
    let scoped = server.json(scoped)["data"]["result"].take();
    assert_eq!(scoped.as_array().unwrap().len(), 1, "{scoped}");
    assert_eq!(scoped[0]["metric"]["job"], "older");
}

/// Of those that want them, and of no other.
fn sizes_and_limits_are_series(server: &Server) {
    let query = "/api/v1/query?query=%7B__name__=~%22scrape_(timeout_seconds|sample_limit|body_size_bytes)%22%7D";
    let found = server.json(query)["data"]["result"].take();
    let told = |one: &Value| {
        let value: f64 = one["value"][1].as_str().unwrap().parse().unwrap();
        assert!(value > 0.0, "{one}");
        (one["metric"]["job"].as_str().unwrap().to_owned(), value)
    };
    let mut told: Vec<_> = found.as_array().unwrap().iter().map(told).collect();
    told.sort_by(|a, b| a.1.total_cmp(&b.1));
    // A second, a page of some fifty bytes, and the usual limit.
    assert_eq!(told.iter().map(|one| &*one.0).collect::<Vec<_>>(), ["older"; 3]);
    assert_eq!((told[0].1, told[2].1), (1.0, 400_000.0));
}

/// Waits until the target of a job is down for a reason, or with an empty one up.
fn wait_until_told(server: &Server, job: &str, error: &str) {
    server.wait_for(&format!("{job}: {error}"), |server| {
        let targets = server.json("/api/v1/targets")["data"]["activeTargets"].take();
        let targets = targets.as_array().unwrap();
        let target = targets.iter().find(|target| target["scrapePool"] == job).unwrap();
        let said = target["lastError"].as_str().unwrap();
        (said.is_empty() == error.is_empty() && said.contains(error)).then_some(())
    });
}

/// Whoever changes a secret in its file need not start us anew.
fn changed_secrets_are_followed(server: &Server, file: &Path) {
    for (password, error) in [("wrong", "401"), ("s3cret", "")] {
        fs::write(file, password).unwrap();
        wait_until_told(server, "file", error);
    }
}

/// Nor whoever brings a certificate or renews it; who is not trusted any more is not asked over the
/// connection that there is.
fn changed_certificates_are_followed(server: &Server, folder: &Path) {
    let path = folder.join("later.pem");
    for (certificate, error) in [
        ("cert.pem", ""),
        ("other.pem", "certificate"),
        ("cert.pem", ""),
        ("password", "no usable"),
    ] {
        fs::copy(folder.join(certificate), &path).unwrap();
        wait_until_told(server, "later", error);
    }
}

fn secrets_are_nowhere_to_be_read(server: &Server) {
    for path in ["/api/v1/targets", "/api/v1/status/config", "/metrics"] {
        let page = server.get(path);
        assert!(!page.contains("s3cret") && !page.contains("t0ken"), "{path}: {page}");
    }
}

#[test]
fn exporters_behind_tls_and_sign_in_are_scraped_and_others_refused() {
    let (Some(one), Some(other)) = (python(), python()) else { return };
    let folder = tempfile::tempdir().unwrap();
    // The last one goes with the key.
    if ["other.pem", "cert.pem"].map(|name| certificate(folder.path(), name)).contains(&None) {
        return;
    }
    let (_one, address) = start(one, folder.path(), "TLSv1_3");
    let (_other, older) = start(other, folder.path(), "TLSv1_2");
    fs::write(folder.path().join("password"), "s3cret\n").unwrap();
    let ca = folder.path().join("cert.pem");
    let trusted = format!("ca_file = '{}', server_name = 'metrics.test'", ca.display());
    let untold = format!("ca_file = '{}'", ca.display());
    let later = folder.path().join("later.pem");
    let later = format!("ca_file = '{}', server_name = 'metrics.test'", later.display());
    let anna = "basic_auth = { username = 'anna', password = 's3cret' }";
    let from_file = format!(
        "basic_auth = {{ username = 'anna', password_file = '{}' }}",
        folder.path().join("password").display()
    );
    let scoped = format!(
        "{anna}\nhttp_headers = {{ X-Scope-OrgID = {{ values = ['shop'] }} }}\nextra_scrape_metrics = true"
    );
    let newest = format!("{trusted}, min_version = 'TLS13'");
    let not_newest = format!("{trusted}, max_version = 'TLS12'");
    let eve = "basic_auth = { username = 'eve', password = 's3cret' }";
    let token = "authorization = { credentials = 't0ken' }";
    let jobs: [Job<'_>; 12] = [
        ("basic", "/basic", &address, &trusted, anna, ""),
        ("file", "/basic", &address, &trusted, &from_file, ""),
        ("older", "/basic", &older, &not_newest, &scoped, ""),
        ("too old", "/basic", &older, &newest, anna, "fatal alert"),
        ("too new", "/basic", &address, &not_newest, anna, "fatal alert"),
        ("bearer", "/bearer", &address, &trusted, token, ""),
        ("careless", "/bearer", &address, "insecure_skip_verify = true", token, ""),
        ("eve", "/basic", &address, &trusted, eve, "401"),
        ("nobody", "/bearer", &address, &trusted, "", "401"),
        ("stranger", "/bearer", &address, "", token, "certificate"),
        ("other name", "/bearer", &address, &untold, token, "certificate"),
        ("later", "/bearer", &address, &later, token, "later.pem holds no usable certificate"),
    ];
    let config: String = jobs.iter().map(written).collect();
    fs::write(folder.path().join("barograph.toml"), config).unwrap();
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
    pages_are_stored(&server);
    own_headers_are_sent(&server);
    sizes_and_limits_are_series(&server);
    changed_certificates_are_followed(&server, folder.path());
    changed_secrets_are_followed(&server, &folder.path().join("password"));
    secrets_are_nowhere_to_be_read(&server);
}

//! Samples sent on to real receivers, with kills on both sides.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::{Server, free_port, peer_program, run, text};

/// Milliseconds and bits of values.
type Samples = BTreeSet<(i64, u64)>;
/// What a receiver at a port has.
type Read = fn(u16) -> Option<Samples>;

/// A receiver that can be ended by force and started again with what it had.
struct Receiver {
    child: Child,
    start: Box<dyn Fn() -> Child>,
    port: u16,
    read: Read,
}

fn get(port: u16, path: &str) -> Option<String> {
    let url = format!("http://127.0.0.1:{port}{path}");
    ureq::get(&url).call().ok()?.body_mut().read_to_string().ok()
}

fn command(program: &str) -> Option<Command> {
    let mut command = peer_program(program)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}

impl Receiver {
    fn start(program: &'static str, arguments: Vec<String>, port: u16, read: Read) -> Option<Self> {
        command(program)?;
        let start = move || command(program).unwrap().args(&arguments).spawn().unwrap();
        Some(Self { child: start(), start: Box::new(start), port, read })
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.child = (self.start)();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

/// Milliseconds and bits of the values of an answer to an instant query for a range.
fn samples(answer: &str) -> Option<Samples> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let values = answer["data"]["result"][0]["values"].as_array()?;
    let sample = |one: &serde_json::Value| {
        let value: f64 = one[1].as_str()?.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "times of this century")]
        Some(((one[0].as_f64()? * 1000.0).round() as i64, value.to_bits()))
    };
    values.iter().map(sample).collect()
}

const QUERY: &str = "/api/v1/query?query=cpu_count%5B1h%5D";

fn of_prometheus(port: u16) -> Option<Samples> {
    samples(&get(port, QUERY)?)
}

/// Its queries hide what is younger than half a minute; its export does not.
fn of_victoria_metrics(port: u16) -> Option<Samples> {
    let text = get(port, "/api/v1/export?match%5B%5D=cpu_count")?;
    let line: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
    let times = line["timestamps"].as_array()?.iter().map(serde_json::Value::as_i64);
    let values = line["values"].as_array()?.iter().map(serde_json::Value::as_f64);
    times.zip(values).map(|(time, value)| Some((time?, value?.to_bits()))).collect()
}

fn sent_on_through_kills(receiver: Option<Receiver>, folder: &Path) {
    let Some(mut receiver) = receiver else { return };
    let port = receiver.port;
    let config = format!(
        "[[remote_write]]\nname = 'other'\nurl = 'http://127.0.0.1:{port}/api/v1/write'\n\
         shards = 2\nexternal_labels = {{ site = 'a' }}\n"
    );
    std::fs::write(folder.join("barograph.toml"), config).unwrap();
    let data = folder.join("data");
    let server = Server::start(&data);
    let arrived = |server: &Server, receiver: &Receiver, count: usize| {
        server.wait_for("samples at the receiver", |_| {
            (receiver.read)(port).filter(|found| found.len() >= count).map(|found| found.len())
        })
    };
    let before = arrived(&server, &receiver, 3);
    receiver.kill();
    server.wait_for("a failure", |server| {
        let receivers = server.json("/api/forward");
        (receivers["receivers"][0]["failure"].is_string()).then_some(())
    });
    receiver.start_again();
    let before = arrived(&server, &receiver, before + 4);
    server.kill();
    let server = Server::start(&data);
    let before = arrived(&server, &receiver, before + 3);
    receiver.kill();
    receiver.start_again();
    arrived(&server, &receiver, before + 3);
    let ours = samples(&server.get(QUERY)).unwrap();
    assert!(ours.len() >= 10, "{}", ours.len());
    server.wait_for("every sample that is stored here", |_| {
        let theirs = (receiver.read)(port)?;
        ours.is_subset(&theirs).then_some(())
    });
    let forward = server.json("/api/forward")["receivers"][0].clone();
    assert_eq!(
        (&forward["dead_samples"], &forward["lost_samples"]),
        (&0.into(), &0.into()),
        "{forward}"
    );
    server.stop();
}

fn victoria_metrics(folder: &Path) -> Option<Receiver> {
    let port = free_port();
    let arguments = vec![
        format!("-storageDataPath={}", folder.join("vm").display()),
        format!("-httpListenAddr=127.0.0.1:{port}"),
    ];
    Receiver::start("victoria-metrics", arguments, port, of_victoria_metrics)
}

#[test]
fn what_a_receiver_lost_is_sent_again_when_somebody_asks() {
    let folder = tempfile::tempdir().unwrap();
    let Some(receiver) = victoria_metrics(folder.path()) else { return };
    let port = receiver.port;
    let config = format!(
        "[[remote_write]]\nname = 'other'\nurl = 'http://127.0.0.1:{port}/api/v1/write'\n\
         shards = 2\nresend_window = '1h'\n"
    );
    std::fs::write(folder.path().join("barograph.toml"), config).unwrap();
    let server = Server::start(&folder.path().join("data"));
    let theirs = |server: &Server, count: usize| {
        server.wait_for("samples at the receiver", |_| {
            of_victoria_metrics(port).filter(|found| found.len() >= count)
        })
    };
    let before = theirs(&server, 5);
    get(port, "/api/v1/admin/tsdb/delete_series?match%5B%5D=cpu_count").unwrap();
    server.wait_for("the loss", |_| {
        of_victoria_metrics(port).is_none_or(|found| !before.is_subset(&found)).then_some(())
    });
    let url = format!("http://{}", server.address);
    let resend = |name: &str, from: &str| {
        run(&["forward", "resend", name, "--from", from, "--server", &url])
    };
    let output = resend("other", "10m");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "`other` was sent it again\n");
    server.wait_for("what was lost", |_| {
        of_victoria_metrics(port).filter(|found| before.is_subset(found)).map(drop)
    });
    for (name, from, said) in [
        ("another", "10m", "there is no receiver `another` among `[[remote_write]]`"),
        ("other", "3h", "what `other` has taken is kept for 3600 s (`resend_window`), not for "),
    ] {
        let output = resend(name, from);
        assert!(!output.status.success() && text(&output.stderr).contains(said), "{output:?}");
    }
    server.stop();
}

#[test]
fn prometheus_has_every_sample_through_kills_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = folder.path().join("prometheus.yml");
    std::fs::write(&config, "scrape_configs: []\n").unwrap();
    let arguments = vec![
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--web.enable-remote-write-receiver".to_owned(),
    ];
    let receiver = Receiver::start("prometheus", arguments, port, of_prometheus);
    sent_on_through_kills(receiver, folder.path());
}

#[test]
fn victoria_metrics_has_every_sample_through_kills_of_both() {
    let folder = tempfile::tempdir().unwrap();
    sent_on_through_kills(victoria_metrics(folder.path()), folder.path());
}

//! A real Alertmanager as the receiver.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, SystemClock};
use barograph_notify::{Notification, Notifier};

use super::{hostile, loopback, resolved};

struct Alertmanager {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests compare with other programs")]
async fn start() -> Option<Alertmanager> {
    let program = Path::new("/usr/bin/prometheus-alertmanager");
    if std::env::consts::OS == "windows" || !program.is_file() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.yml");
    std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let child = std::process::Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let it = Alertmanager { child, url: format!("http://127.0.0.1:{port}"), _folder: folder };
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(it)
}

/// The alerts that it has.
async fn alerts(url: &str) -> serde_json::Value {
    let uri: hyper::Uri = url.parse().unwrap();
    let none = (barograph_fetch::Credentials::None, barograph_fetch::TlsSettings::default());
    let client = barograph_fetch::Client::new(&uri, &none.0, &none.1).unwrap();
    let request = hyper::Request::get("/api/v2/alerts").body(http_body_util::Full::default());
    let answer = client.send(request.unwrap(), 1 << 20).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

/// Delivers at the time that Alertmanager knows.
async fn deliver(url: &str, it: &Notification) {
    let channel = super::channel(&format!("{{type: alertmanager, server: '{url}'}}"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let notifier = Notifier::new(loopback(), Arc::new(super::secret), clock);
    notifier.deliver(&channel, it).await.unwrap();
}

#[tokio::test]
async fn alertmanager_takes_alerts_and_their_end() {
    let Some(it) = start().await else { return };
    let mut firing = hostile();
    let now_ms = SystemClock::new().now_ms();
    firing.alerts[0].started_ms = now_ms - 600_000;
    deliver(&it.url, &firing).await;
    // It lists what it took only after it has handled it.
    let mut seen = alerts(&it.url).await;
    while seen.as_array().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        seen = alerts(&it.url).await;
    }
    assert_eq!(seen[0]["labels"]["alertname"], "DiskFull");
    assert_eq!(seen[0]["labels"]["drive"], firing.alerts[0].labels["drive"]);
    assert_eq!(seen[0]["status"]["state"], "active");
    let mut over = resolved();
    over.alerts[0].started_ms = now_ms - 600_000;
    over.alerts[0].ended_ms = Some(now_ms - 1000);
    deliver(&it.url, &over).await;
    while !alerts(&it.url).await.as_array().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! Channels, against receivers that are really there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod alertmanager;
mod channels;
mod http;
mod judges;
mod limits;
mod mail;
mod others;
mod receiver;
mod secure;

use std::collections::BTreeMap;
use std::sync::Arc;

use barograph_model::Clock;
use barograph_notify::{
    Alert, Channel, Event, Failure, Links, Notification, Notifier, Receipt, Recipient, Setup,
    Severity,
};
use barograph_testkit::FakeClock;

const NOW_MS: i64 = 1_764_126_720_000;

/// What secrets are called in documents, and what they are.
fn secret(name: &str) -> Result<String, String> {
    match name {
        "missing" => Err("it was removed".to_owned()),
        url if url.starts_with("http") => Ok(url.to_owned()),
        other => Ok(format!("secret-of-{other}")),
    }
}

fn notifier_with(setup: Setup) -> Notifier {
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(NOW_MS));
    Notifier::new(setup, Arc::new(secret), clock)
}

/// Reaches this machine.
fn notifier() -> Notifier {
    notifier_with(loopback())
}

fn loopback() -> Setup {
    Setup { internal_networks: vec!["127.0.0.0/8".parse().unwrap()] }
}

#[track_caller]
fn channel(text: &str) -> Channel {
    Channel::parse("ops", text).unwrap_or_else(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}\n{text}", lines.join("\n"))
    })
}

/// A telling with everything in it that others could make.
fn hostile() -> Notification {
    let mut it = Notification::test(NOW_MS, Some("https://baro.example"));
    "firing-7-1".clone_into(&mut it.id);
    "incident-7".clone_into(&mut it.group);
    it.event = Event::Firing;
    it.incident = Some(7);
    it.severity = Severity::Critical;
    "Disk <b>C:</b>\r\nBcc: eve@example.org {{ .Secret }} @everyone".clone_into(&mut it.title);
    it.host = Some("web-1\"; rm -rf / #".to_owned());
    let labels = BTreeMap::from([
        ("alertname".to_owned(), "DiskFull".to_owned()),
        ("drive".to_owned(), "{{ .Labels }} <script>alert(1)</script>".to_owned()),
    ]);
    let mut alert = Alert { labels, ..it.alerts.remove(0) };
    alert.annotations.insert("summary".to_owned(), "**bold** <http://evil|x> & `y`".to_owned());
    it.alerts = vec![alert];
    it.links = Links {
        server: Some("https://baro.example".to_owned()),
        page: Some("https://baro.example/hosts/web-1?at=1".to_owned()),
        acknowledge: Some("https://baro.example/ack/abc".to_owned()),
        silence: None,
        runbook: Some("javascript:alert(1)".to_owned()),
    };
    it
}

fn resolved() -> Notification {
    let mut it = hostile();
    "resolved-7-2".clone_into(&mut it.id);
    it.event = Event::Resolved;
    it.ended_ms = Some(it.since_ms + 600_000);
    it
}

fn for_anna(mut it: Notification) -> Notification {
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    it.recipient = Some(Recipient {
        name: "Anna".to_owned(),
        email: Some("anna@example.org".to_owned()),
        phone: Some("+491701234567".to_owned()),
        chats: texts(&[("telegram", "4711"), ("ntfy", "anna-topic")]),
    });
    it
}

async fn deliver(text: &str, it: &Notification) -> Result<Receipt, Failure> {
    notifier().deliver(&channel(text), it).await
}

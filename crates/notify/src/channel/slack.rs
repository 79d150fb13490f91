//! Slack, by an incoming webhook.

use serde_json::{Value, json};

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::failure::Failure;
use crate::notification::{Event, Notification, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

/// A header block takes so many characters, a section, a field, a button's address.
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 2900;
const MAX_FIELD: usize = 1900;
const MAX_LINK: usize = 3000;

#[derive(Debug)]
struct Slack {
    url: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Slack { url: fields.needed_secret("url") })
}

impl Way for Slack {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let url = telling.secrets.url(&self.url)?;
        let body = message(telling.notification, telling.channel.zone());
        Ok(vec![Parcel::Http(Call::json("slack", url, &body))])
    }
}

fn message(it: &Notification, zone: &jiff::tz::TimeZone) -> Value {
    let headline = text::headline(it);
    let plain = |text: &str, max| json!({"type": "plain_text", "text": text::cut(text, max)});
    let mut blocks = vec![json!({"type": "header", "text": plain(&headline, MAX_HEADER)})];
    let facts = text::facts(it, zone);
    let fields: Vec<Value> = facts
        .iter()
        .map(|(name, text)| mrkdwn(&format!("*{name}*\n{}", escape(text)), MAX_FIELD))
        .collect();
    blocks.push(json!({"type": "section", "fields": fields}));
    let zone_events = text::events(it, zone, 5);
    let sections = [
        ("Alerts", it.alerts.iter().take(10).map(text::alert_line).collect()),
        ("Busiest processes", text::processes(it, 5)),
        ("Before it", zone_events),
    ];
    for (title, lines) in sections {
        let lines: Vec<String> = lines.iter().map(|line| format!("• {}", escape(line))).collect();
        if !lines.is_empty() {
            let text = format!("*{title}*\n{}", lines.join("\n"));
            blocks.push(json!({"type": "section", "text": mrkdwn(&text, MAX_SECTION)}));
        }
    }
    let links = text::links(it).into_iter().filter(|(_, url)| url.len() <= MAX_LINK);
    let buttons: Vec<Value> = links
        .map(|(name, url)| json!({"type": "button", "text": plain(name, 75), "url": url}))
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    let colour = colour(it);
    json!({
        "text": escape(&headline),
        "attachments": [{"color": colour, "blocks": blocks}],
    })
}

/// Green when it is over, else by severity.
fn colour(it: &Notification) -> &'static str {
    match (it.event, it.severity) {
        (Event::Resolved, _) => "#2e7d32",
        (_, Severity::Critical) => "#b3261e",
        (_, Severity::Warning) => "#b26a00",
        (_, Severity::Info) => "#1565c0",
    }
}

fn mrkdwn(text: &str, max: usize) -> Value {
    json!({"type": "mrkdwn", "text": text::cut(text, max)})
}

/// Slack's three special characters; with them escaped nothing is a mention or a link.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

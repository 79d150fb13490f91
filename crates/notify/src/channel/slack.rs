//! Slack, by an incoming webhook.

use barograph_fetch::Answer;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::escape;
use crate::failure::{Failure, Receipt, said};
use crate::notification::{Event, Notification, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

/// A header block takes so many characters, a section, a field, a button's address.
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 2900;
const MAX_FIELD: usize = 1900;
const MAX_LINK: usize = 3000;
/// Ten lines fit into a section, also where a character becomes five.
const MAX_LINE: usize = 55;

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
        let body = message(telling);
        Ok(vec![Parcel::Http(Call::json("slack", url, &body))])
    }

    /// Success is a word, or JSON of those who imitate Slack; a page is of somebody in between.
    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        let receipt = http::judge(answer)?;
        if receipt.text.starts_with('<') {
            let page = said(&receipt.text);
            return Err(Failure::passing(format!("the answer is a page, none of Slack's: {page}")));
        }
        Ok(receipt)
    }
}

fn message(telling: &Telling<'_>) -> Value {
    let it = telling.notification;
    let headline = telling.title(escape::plain, MAX_HEADER);
    let plain = |text: &str, max| json!({"type": "plain_text", "text": text::cut(text, max)});
    let mut blocks = vec![json!({"type": "header", "text": plain(&headline, MAX_HEADER)})];
    if telling.has_template("text") || it.event == Event::Digest {
        let text = telling.text(escape::angles, MAX_SECTION);
        blocks.push(json!({"type": "section", "text": mrkdwn(&text, MAX_SECTION)}));
    } else {
        blocks.extend(usual(it, telling.channel.zone()));
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
        "text": escape::angles(&headline),
        "attachments": [{"color": colour, "blocks": blocks}],
    })
}

fn usual(it: &Notification, zone: &TimeZone) -> Vec<Value> {
    let facts = text::facts(it, zone);
    let fields: Vec<Value> = facts
        .iter()
        .map(|(name, text)| {
            let text = escape::angles(&text::cut(text, MAX_FIELD / 6));
            mrkdwn(&format!("*{name}*\n{text}"), MAX_FIELD)
        })
        .collect();
    let mut blocks = vec![json!({"type": "section", "fields": fields})];
    let sections = [
        ("Alerts", it.alerts.iter().take(10).map(text::alert_line).collect()),
        ("Busiest processes", text::processes(it, 5)),
        ("Before it", text::events(it, zone, 5)),
    ];
    for (title, lines) in sections {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("• {}", escape::angles(&text::cut(line, MAX_LINE))))
            .collect();
        if !lines.is_empty() {
            let text = format!("*{title}*\n{}", lines.join("\n"));
            blocks.push(json!({"type": "section", "text": mrkdwn(&text, MAX_SECTION)}));
        }
    }
    blocks
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

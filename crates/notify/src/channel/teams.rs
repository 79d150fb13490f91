//! Microsoft Teams, by a workflow that posts adaptive cards.

use serde_json::{Value, json};

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::escape;
use crate::failure::Failure;
use crate::notification::{Event, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

/// A message takes 28 KB in all.
const MAX_TEXT: usize = 6000;

#[derive(Debug)]
struct Teams {
    url: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Teams { url: fields.needed_secret("url") })
}

impl Way for Teams {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let colour = match (it.event, it.severity) {
            (Event::Resolved, _) => "Good",
            (_, Severity::Critical) => "Attention",
            (_, Severity::Warning) => "Warning",
            (_, Severity::Info) => "Accent",
        };
        let mut body = vec![json!({
            "type": "TextBlock",
            "size": "Large",
            "weight": "Bolder",
            "wrap": true,
            "color": colour,
            "text": telling.title(escape::markdown, 300),
        })];
        // A line break within a text is only a blank; each line is a block of its own.
        let told = telling.text(escape::markdown, MAX_TEXT);
        body.extend(told.lines().filter(|line| !line.trim().is_empty()).take(60).map(block));
        let actions: Vec<Value> = text::links(it)
            .into_iter()
            .map(|(name, url)| json!({"type": "Action.OpenUrl", "title": name, "url": url}))
            .collect();
        let card = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "fallbackText": telling.title(escape::plain, 300),
            "body": body,
            "actions": actions,
        });
        let message = json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": card,
            }],
        });
        let url = telling.secrets.url(&self.url)?;
        Ok(vec![Parcel::Http(Call::json("teams", url, &message))])
    }
}

fn block(line: &str) -> Value {
    json!({"type": "TextBlock", "wrap": true, "spacing": "None", "text": line})
}

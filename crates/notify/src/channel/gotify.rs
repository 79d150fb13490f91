//! Gotify.

use serde_json::json;

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::escape;
use crate::failure::Failure;
use crate::notification::{Event, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

const MAX_TEXT: usize = 8000;

#[derive(Debug)]
struct Gotify {
    server: String,
    token: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Gotify {
        server: super::needed_server(fields, "https://gotify.example.com"),
        token: fields.needed_secret("token"),
    })
}

impl Way for Gotify {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let priority = match (it.event, it.severity) {
            (Event::Resolved | Event::Acknowledged, _) => 3,
            (_, Severity::Critical) => 9,
            (_, Severity::Warning) => 6,
            (_, Severity::Info) => 4,
        };
        let links = text::links(it);
        let click = links.first().map(|(_, url)| json!({"click": {"url": url}}));
        let body = json!({
            "title": telling.title(escape::plain, 200),
            "message": telling.text_with_links(escape::plain, MAX_TEXT),
            "priority": priority,
            "extras": {
                "client::display": {"contentType": "text/plain"},
                "client::notification": click.unwrap_or_else(|| json!({})),
            },
        });
        let mut call = Call::json("gotify", format!("{}/message", self.server), &body);
        call.headers.push(("x-gotify-key", telling.secrets.text(&self.token)?));
        Ok(vec![Parcel::Http(call)])
    }
}

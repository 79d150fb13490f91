//! ntfy, by its JSON interface.

use serde_json::{Value, json};

use super::access::Access;
use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::escape;
use crate::failure::Failure;
use crate::notification::{Event, Severity};
use crate::reader::Fields;
use crate::text;

/// A longer message becomes a file.
const MAX_BYTES: usize = 4000;

#[derive(Debug)]
struct Ntfy {
    server: String,
    topic: Option<String>,
    access: Access,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let server = super::server(fields, "https://ntfy.sh");
    let placed = fields.placed("topic");
    if let Some((topic, at)) = &placed {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if topic.is_empty() || topic.len() > 64 || !topic.chars().all(fits) {
            let message = format!("`{topic}` is no topic: at most 64 of A-Z, a-z, 0-9, - and _");
            fields.refuse("topic", *at, message);
        }
    }
    let topic = placed.map(|(topic, _)| topic);
    Box::new(Ntfy { server, topic, access: Access::read(fields) })
}

impl Way for Ntfy {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let own: Vec<String> = self.topic.iter().cloned().collect();
        let topics = telling.receivers(&own, |it| it.chats.get("ntfy"), "ntfy topic")?;
        let (priority, tag) = match (it.event, it.severity) {
            (Event::Resolved, _) => (3, "white_check_mark"),
            (Event::Acknowledged, _) => (2, "eyes"),
            (_, Severity::Critical) => (5, "rotating_light"),
            (_, Severity::Warning) => (4, "warning"),
            (_, Severity::Info) => (3, "information_source"),
        };
        let links = text::links(it);
        let actions: Vec<Value> = links
            .iter()
            .take(3)
            .map(|(name, url)| json!({"action": "view", "label": name, "url": url}))
            .collect();
        let message = text::cut_bytes(&telling.text(escape::plain, MAX_BYTES), MAX_BYTES);
        let mut parcels = Vec::new();
        for topic in topics {
            let body = json!({
                "topic": topic,
                "title": telling.title(escape::plain, 200),
                "message": message,
                "priority": priority,
                "tags": [tag],
                "click": links.first().map(|(_, url)| url),
                "actions": actions,
            });
            let mut call = Call::json(topic, self.server.clone(), &body);
            self.access.add_to(telling, &mut call)?;
            parcels.push(Parcel::Http(call));
        }
        Ok(parcels)
    }
}

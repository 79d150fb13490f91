//! PagerDuty, by its Events API version 2.

use serde_json::json;

use super::{Telling, Way, short_key};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::escape;
use crate::failure::Failure;
use crate::notification::{Event, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

const MAX_SUMMARY: usize = 1024;
const MAX_KEY_CHARS: usize = 255;
const MAX_DETAILS_BYTES: usize = 60_000;

#[derive(Debug)]
struct PagerDuty {
    server: String,
    routing_key: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let server = super::server(fields, "https://events.pagerduty.com");
    Box::new(PagerDuty { server, routing_key: fields.needed_secret("routing_key") })
}

impl Way for PagerDuty {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let action = match it.event {
            Event::Resolved => "resolve",
            Event::Acknowledged => "acknowledge",
            _ => "trigger",
        };
        let severity = match it.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        let links: Vec<_> = text::links(it)
            .into_iter()
            .map(|(name, url)| json!({"href": url, "text": name}))
            .collect();
        let alerts: Vec<String> = it.alerts.iter().take(50).map(text::alert_line).collect();
        let body = json!({
            "routing_key": telling.secrets.text(&self.routing_key)?,
            "event_action": action,
            "dedup_key": short_key(&it.group, MAX_KEY_CHARS),
            "client": "Barograph",
            "client_url": it.links.server,
            "links": links,
            "payload": {
                "summary": telling.title(escape::plain, MAX_SUMMARY),
                "source": it.host.as_deref().unwrap_or("barograph"),
                "severity": severity,
                "timestamp": text::rfc3339(it.since_ms),
                "custom_details": {
                    "message": telling.text(escape::plain, MAX_DETAILS_BYTES / 4),
                    "alerts": alerts,
                    "incident": it.incident,
                },
            },
        });
        let url = format!("{}/v2/enqueue", self.server);
        Ok(vec![Parcel::Http(Call::json("pagerduty", url, &body))])
    }
}

//! Opsgenie, by its alert interface.

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

const MAX_MESSAGE: usize = 130;
const MAX_DESCRIPTION: usize = 15_000;
const MAX_ALIAS_CHARS: usize = 512;
const MAX_ENTITY: usize = 512;

#[derive(Debug)]
struct Opsgenie {
    server: String,
    key: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let server = super::server(fields, "https://api.opsgenie.com");
    Box::new(Opsgenie { server, key: fields.needed_secret("key") })
}

impl Way for Opsgenie {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let alias = short_key(&it.group, MAX_ALIAS_CHARS);
        let note = telling.title(escape::plain, MAX_DESCRIPTION);
        let of_alias = |action: &str| {
            let alias = super::percent_encode(&alias);
            let url = format!("{}/v2/alerts/{alias}/{action}?identifierType=alias", self.server);
            (url, json!({"source": "Barograph", "note": note}))
        };
        let (url, body) = match it.event {
            Event::Resolved => of_alias("close"),
            Event::Acknowledged => of_alias("acknowledge"),
            _ => {
                let priority = match it.severity {
                    Severity::Critical => "P1",
                    Severity::Warning => "P3",
                    Severity::Info => "P5",
                };
                let body = json!({
                    "message": telling.title(escape::plain, MAX_MESSAGE),
                    "alias": alias,
                    "description": telling.text_with_links(escape::plain, MAX_DESCRIPTION),
                    "priority": priority,
                    "source": "Barograph",
                    "entity": text::cut(it.host.as_deref().unwrap_or_default(), MAX_ENTITY),
                    "tags": [it.event.word(), it.severity.word()],
                    "details": {
                        "incident": it.incident.map(|number| number.to_string()),
                        "page": it.links.page,
                    },
                });
                (format!("{}/v2/alerts", self.server), body)
            }
        };
        let mut call = Call::json("opsgenie", url, &without_nulls(body));
        call.credentials = barograph_fetch::Credentials::Header(format!(
            "GenieKey {}",
            telling.secrets.text(&self.key)?
        ));
        Ok(vec![Parcel::Http(call)])
    }
}

/// Details are texts or not there.
fn without_nulls(mut body: serde_json::Value) -> serde_json::Value {
    if let Some(details) = body.get_mut("details").and_then(serde_json::Value::as_object_mut) {
        details.retain(|_, value| !value.is_null());
    }
    body
}

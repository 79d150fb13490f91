//! Discord, by a webhook.

use barograph_fetch::Answer;
use serde_json::{Value, json};

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::escape;
use crate::failure::{Failure, Receipt};
use crate::notification::{Event, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

const MAX_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 4096;

#[derive(Debug)]
struct Discord {
    url: SecretText,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Discord { url: fields.needed_secret("url") })
}

impl Way for Discord {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let colour = match (it.event, it.severity) {
            (Event::Resolved, _) => 0x2e_7d32,
            (_, Severity::Critical) => 0xb3_261e,
            (_, Severity::Warning) => 0xb2_6a00,
            (_, Severity::Info) => 0x15_65c0,
        };
        let links = text::links(it)
            .into_iter()
            .filter(|(_, url)| !url.contains([')', '(']) && url.len() < 500)
            .map(|(name, url)| format!("[{name}]({url})"));
        let links = links.collect::<Vec<_>>().join(" · ");
        let room = MAX_DESCRIPTION - links.chars().count() - 2;
        let told = telling.text(escape::markdown, room);
        let body = json!({
            "username": "Barograph",
            // Nobody is called by a text that happens to hold a name.
            "allowed_mentions": {"parse": []},
            "embeds": [{
                "title": telling.title(escape::markdown, MAX_TITLE),
                "description": format!("{told}\n\n{links}").trim_end(),
                "color": colour,
                "timestamp": text::rfc3339(it.at_ms),
            }],
        });
        let url = telling.secrets.url(&self.url)?;
        Ok(vec![Parcel::Http(Call::json("discord", url, &body))])
    }

    /// How long to wait stands in the answer, more exactly than in its head.
    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let wait = json.and_then(|it| it.get("retry_after")?.as_f64());
        http::judge(answer).map_err(|failure| Failure {
            retry_after: wait.map(http::wait_of_seconds).or(failure.retry_after),
            ..failure
        })
    }
}

//! Telegram, by its bot interface.

use barograph_fetch::Answer;
use serde_json::{Value, json};

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::escape;
use crate::failure::{Failure, Receipt};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text;

/// A message takes 4,096 UTF-16 units; half of a text may be such that count twice.
const MAX_TEXT: usize = 4096;

#[derive(Debug)]
struct Telegram {
    server: String,
    token: SecretText,
    chats: Vec<String>,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let server = super::server(fields, "https://api.telegram.org");
    let token = fields.needed_secret("token");
    let chats = fields.texts("chats").into_iter().map(|(chat, _)| chat).collect();
    Box::new(Telegram { server, token, chats })
}

impl Way for Telegram {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let token = telling.secrets.text(&self.token)?;
        let url = format!("{}/bot{token}/sendMessage", self.server);
        let text = message(telling);
        let chats =
            telling.receivers(&self.chats, |it| it.chats.get("telegram"), "Telegram chat")?;
        let parcels = chats.into_iter().map(|chat| {
            let body = json!({
                "chat_id": chat,
                "text": text,
                "parse_mode": "HTML",
                "link_preview_options": {"is_disabled": true},
            });
            Parcel::Http(Call::json(chat, url.clone(), &body))
        });
        Ok(parcels.collect())
    }

    /// Success is `ok: true`, whatever the status; how long to wait stands in the answer.
    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let field = |path: &str| json.as_ref().and_then(|it| it.pointer(path));
        if answer.status.is_success() && field("/ok") != Some(&Value::Bool(true)) {
            return Err(Failure::passing("the answer is none of Telegram's"));
        }
        let wait = field("/parameters/retry_after").and_then(Value::as_f64);
        http::judge(answer)
            .map(|_| Receipt {
                text: field("/result/message_id")
                    .map_or_else(String::new, |it| format!("message {it}")),
            })
            .map_err(|failure| Failure {
                retry_after: wait.map(http::wait_of_seconds).or(failure.retry_after),
                ..failure
            })
    }
}

fn message(telling: &Telling<'_>) -> String {
    let it = telling.notification;
    let headline = telling.title(escape::angles, 400);
    let links = text::links(it)
        .into_iter()
        .map(|(name, url)| format!("<a href=\"{}\">{name}</a>", escape::html(url)));
    let links = links.collect::<Vec<_>>().join(" · ");
    let body = telling.text(escape::angles, MAX_TEXT / 2 - 500);
    format!("<b>{headline}</b>\n{body}\n{links}").trim_end().to_owned()
}

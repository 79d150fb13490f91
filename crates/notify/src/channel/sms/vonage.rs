//! SMS by Vonage, formerly Nexmo.

use barograph_fetch::Answer;
use serde_json::Value;

use super::{Sms, is_gsm};
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::channel::{Telling, Way, server};
use crate::failure::{Failure, Receipt, said};
use crate::reader::Fields;
use crate::secret::SecretText;

/// Statuses that pass: too fast, and an error of the provider's own.
const PASSING: [&str; 3] = ["1", "5", "10"];

#[derive(Debug)]
struct Vonage {
    sms: Sms,
    server: String,
    key: SecretText,
    secret: SecretText,
    from: String,
}

pub(in crate::channel) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Vonage {
        sms: Sms::read(fields),
        server: server(fields, "https://rest.nexmo.com"),
        key: fields.needed_secret("api_key"),
        secret: fields.needed_secret("api_secret"),
        from: fields.needed("from"),
    })
}

impl Way for Vonage {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let url = format!("{}/sms/json", self.server);
        let text = self.sms.text(telling);
        let key = telling.secrets.text(&self.key)?;
        let secret = telling.secrets.text(&self.secret)?;
        let kind = if is_gsm(&text) { "text" } else { "unicode" };
        let mut parcels = Vec::new();
        for to in self.sms.receivers(telling)? {
            let pairs = [
                ("api_key", key.as_str()),
                ("api_secret", &secret),
                ("from", &self.from),
                // The plus is not wanted here.
                ("to", to.trim_start_matches('+')),
                ("text", &text),
                ("type", kind),
            ];
            parcels.push(Parcel::Http(Call::form(&to, url.clone(), &pairs)?));
        }
        Ok(parcels)
    }

    /// The status is 200 also where nothing was sent.
    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        http::judge(answer)?;
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let messages = json.as_ref().and_then(|it| it.get("messages")?.as_array());
        let Some(messages) = messages.filter(|it| !it.is_empty()) else {
            return Err(Failure::passing("the answer is none of Vonage's"));
        };
        let text = |message: &Value, name: &str| match message.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        for message in messages {
            let status = text(message, "status");
            if status != "0" {
                let error = said(&text(message, "error-text"));
                let permanent = !PASSING.contains(&status.as_str()) && !status.is_empty();
                let text = format!("status {status}: {error}");
                return Err(Failure { permanent, untaken: false, retry_after: None, text });
            }
        }
        let ids: Vec<String> = messages.iter().map(|it| text(it, "message-id")).collect();
        Ok(Receipt { text: said(&ids.join(" ")) })
    }
}

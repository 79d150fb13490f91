//! SMS by Twilio.

use barograph_fetch::{Answer, Credentials};
use serde_json::Value;

use super::Sms;
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::channel::{Telling, Way, server};
use crate::failure::{Failure, Receipt};
use crate::reader::Fields;
use crate::secret::SecretText;

#[derive(Debug)]
struct Twilio {
    sms: Sms,
    server: String,
    account: String,
    token: SecretText,
    /// By which field the sender is named, and how.
    from: (&'static str, String),
}

pub(in crate::channel) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let sms = Sms::read(fields);
    let server = server(fields, "https://api.twilio.com");
    let (account, at) = (fields.needed("account_sid"), fields.place());
    if !account.chars().all(|c| c.is_ascii_alphanumeric()) {
        fields.refuse("account_sid", at, "only letters and digits are allowed");
    }
    let token = fields.needed_secret("auth_token");
    let from = match (fields.text("from"), fields.text("messaging_service_sid")) {
        (Some(from), None) => ("From", from),
        (None, Some(service)) => ("MessagingServiceSid", service),
        _ => {
            let message = "exactly one of `from` and `messaging_service_sid` is needed";
            fields.refuse("from", fields.place(), message);
            ("From", String::new())
        }
    };
    Box::new(Twilio { sms, server, account, token, from })
}

impl Way for Twilio {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.server, self.account);
        let text = self.sms.text(telling);
        let (by, from) = &self.from;
        let mut parcels = Vec::new();
        for to in self.sms.receivers(telling)? {
            let pairs = [("To", to.as_str()), (by, from), ("Body", &text)];
            let mut call = Call::form(&to, url.clone(), &pairs)?;
            let password = telling.secrets.text(&self.token)?;
            call.credentials = Credentials::Basic { user: self.account.clone(), password };
            parcels.push(Parcel::Http(call));
        }
        Ok(parcels)
    }

    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let text = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
        http::judge(answer)?;
        text("sid")
            .map(|text| Receipt { text })
            .ok_or_else(|| Failure::passing("the answer is none of Twilio's"))
    }
}

//! SMS by any gateway over HTTP: fields with places for the number and the text.

use barograph_fetch::Answer;
use hyper::Method;
use serde_json::Value;

use super::Sms;
use crate::carry::Parcel;
use crate::carry::http::{self, Call};
use crate::channel::access::Access;
use crate::channel::{Telling, Way, headers};
use crate::failure::{Failure, Receipt, said};
use crate::reader::Fields;
use crate::secret::SecretText;

#[derive(Debug)]
struct Gateway {
    sms: Sms,
    url: SecretText,
    format: Format,
    /// Names and values, in which `{to}` and `{text}` are filled in.
    fields: Vec<(String, String)>,
    /// Stands in the answer when the message was taken.
    success: Option<String>,
    headers: Vec<(String, String)>,
    access: Access,
}

/// How fields travel.
#[derive(Debug, Clone, Copy)]
enum Format {
    Query,
    Form,
    Json,
}

pub(in crate::channel) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let formats = [("query", Format::Query), ("form", Format::Form), ("json", Format::Json)];
    let sms = Sms::read(fields);
    let url = fields.needed_secret("url");
    let format = fields.one_of("format", &formats).unwrap_or(Format::Form);
    let pairs: Vec<(String, String)> =
        fields.pairs("fields").into_iter().map(|(name, value, _)| (name, value)).collect();
    let holds = |place: &str| pairs.iter().any(|(_, value)| value.contains(place));
    if !holds("{to}") || !holds("{text}") {
        let message = "`{to}` and `{text}` must each stand in some field";
        fields.refuse("fields", fields.place(), message);
    }
    Box::new(Gateway {
        sms,
        url,
        format,
        fields: pairs,
        success: fields.text("success"),
        headers: headers(fields),
        access: Access::read(fields),
    })
}

impl Way for Gateway {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let text = self.sms.text(telling);
        let url = telling.secrets.url(&self.url)?;
        let mut parcels = Vec::new();
        for to in self.sms.receivers(telling)? {
            let filled: Vec<(&str, String)> =
                self.fields.iter().map(|(name, it)| (&**name, fill(it, &to, &text))).collect();
            let pairs: Vec<(&str, &str)> =
                filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut call = match self.format {
                Format::Form => Call::form(&to, url.clone(), &pairs)?,
                Format::Json => {
                    let object = pairs.iter().map(|(n, v)| ((*n).to_owned(), Value::from(*v)));
                    Call::json(&to, url.clone(), &Value::Object(object.collect()))
                }
                Format::Query => {
                    let query = http::form(&pairs)?;
                    let joint = if url.contains('?') { '&' } else { '?' };
                    let mut call = Call::new(&to, format!("{url}{joint}{query}"), "", Vec::new());
                    call.method = Method::GET;
                    call
                }
            };
            self.access.add_to(telling, &mut call)?;
            call.more_headers.clone_from(&self.headers);
            parcels.push(Parcel::Http(call));
        }
        Ok(parcels)
    }

    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        let receipt = http::judge(answer)?;
        let body = String::from_utf8_lossy(&answer.body);
        match &self.success {
            Some(success) if !body.contains(success) => Err(Failure::passing(format!(
                "the answer does not say `{success}`: {}",
                said(&body)
            ))),
            _ => Ok(receipt),
        }
    }
}

/// Both places are filled in one pass, so that a text that holds `{to}` is left as it is.
fn fill(value: &str, to: &str, text: &str) -> String {
    let mut parts = value.split("{text}").map(|part| part.replace("{to}", to));
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |filled, part| filled + text + &part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once() {
        assert_eq!(fill("{to}: {text}!", "+49", "a {to} {text}"), "+49: a {to} {text}!");
    }
}

//! A webhook of one's own: the JSON of Alertmanager's webhooks (version 4) with more in it, signed
//! as Standard Webhooks describes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use super::access::Access;
use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::escape;
use crate::failure::Failure;
use crate::notification::{Alert, Event, Notification};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::text::rfc3339;

/// How secrets of Standard Webhooks begin.
const SECRET_PREFIX: &str = "whsec_";
/// When a running alert ends, as Go writes no time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

#[derive(Debug)]
struct Webhook {
    url: SecretText,
    signing_secret: Option<SecretText>,
    access: Access,
    headers: Vec<(String, String)>,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Webhook {
        url: fields.needed_secret("url"),
        signing_secret: fields.secret("signing_secret"),
        access: Access::read(fields),
        headers: super::headers(fields),
    })
}

impl Way for Webhook {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let url = telling.secrets.url(&self.url)?;
        // What a template makes of it must be JSON still; if not, the usual is better than nothing.
        let said = telling.filled("body", escape::json).and_then(Result::ok);
        let said: Option<Value> = said.and_then(|text| serde_json::from_str(&text).ok());
        let body = said.unwrap_or_else(|| body(it, telling.channel.name()));
        let mut call = Call::json("webhook", url, &body);
        self.access.add_to(telling, &mut call)?;
        call.headers.push(("webhook-id", it.id.clone()));
        call.headers.push(("idempotency-key", it.id.clone()));
        let seconds = telling.now_ms / 1000;
        call.headers.push(("webhook-timestamp", seconds.to_string()));
        if let Some(secret) = &self.signing_secret {
            let secret = telling.secrets.text(secret)?;
            let signature = sign(&secret, &it.id, seconds, &call.body);
            call.headers.push(("webhook-signature", signature));
        }
        call.more_headers.clone_from(&self.headers);
        Ok(vec![Parcel::Http(call)])
    }
}

/// The signature of Standard Webhooks, version 1.
fn sign(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let key = match secret.strip_prefix(SECRET_PREFIX).map(|it| STANDARD.decode(it)) {
        Some(Ok(key)) => key,
        // Any other text is its own key.
        _ => secret.as_bytes().to_vec(),
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    context.update(format!("{id}.{seconds}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

fn body(it: &Notification, receiver: &str) -> Value {
    let status = status(it.event == Event::Resolved);
    let alerts: Vec<Value> = it.alerts.iter().map(|alert| alert_json(alert, it)).collect();
    json!({
        "version": "4",
        "groupKey": it.group,
        "truncatedAlerts": it.more_alerts,
        "status": status,
        "receiver": receiver,
        "groupLabels": {},
        "commonLabels": common(it.alerts.iter().map(|alert| &alert.labels)),
        "commonAnnotations": common(it.alerts.iter().map(|alert| &alert.annotations)),
        "externalURL": it.links.server.as_deref().unwrap_or_default(),
        "alerts": alerts,
        "barograph": it,
    })
}

fn status(is_over: bool) -> &'static str {
    if is_over { "resolved" } else { "firing" }
}

/// An alert as Alertmanager writes it.
fn alert_json(alert: &Alert, it: &Notification) -> Value {
    let is_over = alert.ended_ms.is_some() || it.event == Event::Resolved;
    let ended_ms = alert.ended_ms.or(it.ended_ms).filter(|_| is_over);
    let page = it.links.page.as_deref();
    json!({
        "status": status(is_over),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.started_ms),
        "endsAt": ended_ms.map_or_else(|| NO_TIME.to_owned(), rfc3339),
        "generatorURL": alert.source_url.as_deref().or(page).unwrap_or_default(),
        "fingerprint": fingerprint(&alert.labels),
    })
}

/// The labels that all have alike.
fn common<'a>(
    mut all: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let mut common = all.next().cloned().unwrap_or_default();
    for other in all {
        common.retain(|name, value| other.get(name) == Some(value));
    }
    common
}

/// FNV-1a over the labels, as Prometheus names a set of labels.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, value) in labels {
        let bytes = name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]);
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}

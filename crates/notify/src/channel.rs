//! Channels: the ways by which people are told, as documents describe them.

mod access;
mod ntfy;
mod slack;
mod telegram;
mod webhook;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use barograph_fetch::{Answer, TlsSettings};
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use jiff::tz::TimeZone;

use crate::carry::Parcel;
use crate::failure::{Failure, Receipt};
use crate::limit::Limits;
use crate::notification::{Notification, Recipient};
use crate::reader::{Fields, Problem};
use crate::secret::Secrets;
use crate::text;

/// Reads the fields of one type.
type Read = fn(&mut Fields) -> Box<dyn Way>;

/// Every type of channel: its word in documents, and who reads it. One file each.
static TYPES: &[(&str, Read)] = &[
    ("ntfy", ntfy::read),
    ("slack", slack::read),
    ("telegram", telegram::read),
    ("webhook", webhook::read),
];

/// What a type of channel makes of a notification. Nothing here waits or sends.
pub(crate) trait Way: Debug + Send + Sync {
    /// The parcels that tell it, one for each receiver.
    ///
    /// # Errors
    /// There is nobody to tell, or a secret is missing.
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure>;

    /// What an answer over HTTP means.
    ///
    /// # Errors
    /// It was not taken.
    fn judge(&self, answer: &Answer) -> Result<Receipt, Failure> {
        crate::carry::http::judge(answer)
    }
}

/// What a message is composed from.
pub(crate) struct Telling<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) notification: &'a Notification,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now_ms: i64,
}

/// A channel, as its document describes it.
#[derive(Debug)]
pub struct Channel {
    name: String,
    kind: &'static str,
    way: Box<dyn Way>,
    limits: Limits,
    timeout: Duration,
    zone: TimeZone,
}

impl Telling<'_> {
    /// Who gets it: the notification's recipient by what `of` finds, else the channel's own.
    fn receivers(
        &self,
        own: &[String],
        of: impl Fn(&Recipient) -> Option<&String>,
        what: &str,
    ) -> Result<Vec<String>, Failure> {
        let Some(recipient) = &self.notification.recipient else {
            return match own {
                [] => Err(Failure::permanent(format!("the channel names no {what} of its own"))),
                _ => Ok(own.to_vec()),
            };
        };
        match of(recipient) {
            Some(found) => Ok(vec![found.clone()]),
            None => {
                Err(Failure::permanent(format!("{} has no {what}", text::line(&recipient.name))))
            }
        }
    }
}

impl Channel {
    /// How long a delivery may take unless the document says otherwise.
    const TIMEOUT: Duration = Duration::from_secs(15);

    /// Reads a document.
    ///
    /// # Errors
    /// All of its mistakes.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::parse(text)?;
        let types: Vec<_> = TYPES.iter().map(|(word, read)| (*word, (*word, *read))).collect();
        if !fields.has("type") {
            fields.needed("type");
            return Err(fields.finish_known());
        }
        let Some((kind, read)) = fields.one_of("type", &types) else {
            return Err(fields.finish_known());
        };
        let timeout = fields.duration("timeout", 1..=120).unwrap_or(Self::TIMEOUT);
        let zone = zone(&mut fields);
        fields.text("description");
        let limits = Limits::read(&mut fields);
        let way = read(&mut fields);
        let problems = fields.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { name: name.to_owned(), kind, way, limits, timeout, zone })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type, as documents write it.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Within which time a delivery succeeds or fails.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What would be sent, for people to read, with secrets left out.
    ///
    /// # Errors
    /// There is nobody to tell.
    pub fn preview(&self, notification: &Notification, now_ms: i64) -> Result<String, Failure> {
        let secrets = Secrets::masked();
        let telling = Telling { channel: self, notification, secrets: &secrets, now_ms };
        let parcels = self.way.compose(&telling)?;
        let shown: Vec<String> = parcels.iter().map(Parcel::shown).collect();
        Ok(shown.join("\n\n"))
    }

    /// The types that there are.
    pub fn types() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(word, _)| *word)
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn way(&self) -> &dyn Way {
        &*self.way
    }
}

fn zone(fields: &mut Fields) -> TimeZone {
    let Some((name, at)) = fields.placed("time_zone") else { return TimeZone::system() };
    TimeZone::get(&name).unwrap_or_else(|_| {
        let message = format!("there is no time zone `{name}`, allowed is such as Europe/Berlin");
        fields.refuse("time_zone", at, message);
        TimeZone::UTC
    })
}

/// Headers that somebody wants to have sent along.
fn headers(fields: &mut Fields) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value, at) in fields.pairs("headers") {
        let is_ours = OURS.contains(&name.to_ascii_lowercase().as_str());
        if is_ours || HeaderName::try_from(&name).is_err() {
            fields.refuse("headers", at, format!("`{name}` is no header that can be set"));
        } else if HeaderValue::try_from(&value).is_err() {
            fields.refuse("headers", at, format!("the value of `{name}` is none of a header"));
        } else {
            headers.push((name, value));
        }
    }
    headers
}

/// Headers that follow from the message, or from other fields.
const OURS: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
];

/// Whom to trust, where it is not the authorities that the system trusts.
fn tls(fields: &mut Fields) -> TlsSettings {
    fields
        .group("tls", |fields| TlsSettings {
            ca_file: fields.text("ca_file").map(PathBuf::from),
            cert_file: fields.text("cert_file").map(PathBuf::from),
            key_file: fields.text("key_file").map(PathBuf::from),
            server_name: fields.text("server_name"),
            insecure_skip_verify: fields.flag("insecure_skip_verify").unwrap_or(false),
        })
        .unwrap_or_default()
}

/// The address of a service that can be one's own server instead.
fn server(fields: &mut Fields, usual: &str) -> String {
    let Some((url, at)) = fields.placed("server") else { return usual.to_owned() };
    let parsed: Option<Uri> = url.parse().ok();
    let is_web = parsed.is_some_and(|it| matches!(it.scheme_str(), Some("http" | "https")));
    if !is_web {
        fields.refuse("server", at, format!("`{url}` is no address such as {usual}"));
    }
    url.trim_end_matches('/').to_owned()
}

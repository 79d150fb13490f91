//! Channels: the ways by which people are told, as documents describe them.

mod access;
mod alertmanager;
mod command;
mod discord;
mod email;
mod eventlog;
mod gotify;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod sms;
mod syslog;
mod teams;
mod telegram;
mod webhook;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use barograph_fetch::{Answer, TlsSettings};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use jiff::tz::TimeZone;

use crate::carry::Parcel;
use crate::escape::Escape;
use crate::failure::{Failure, Receipt};
use crate::limit::Limits;
use crate::notification::{Notification, Recipient};
use crate::reader::{Fields, Problem};
use crate::secret::Secrets;
use crate::templates::Templates;
use crate::text;

/// A type of channel.
struct Type {
    /// As documents write it.
    word: &'static str,
    read: fn(&mut Fields) -> Box<dyn Way>,
    /// What can be said otherwise.
    templates: &'static [&'static str],
}

const TITLE_AND_TEXT: &[&str] = &["title", "text"];

/// Every type, in order of their words.
#[rustfmt::skip]
static TYPES: &[Type] = &[
    Type { word: "alertmanager", read: alertmanager::read, templates: &[] },
    Type { word: "command", read: command::read, templates: TITLE_AND_TEXT },
    Type { word: "discord", read: discord::read, templates: TITLE_AND_TEXT },
    Type { word: "email", read: email::read, templates: &["title", "text", "html"] },
    Type { word: "eventlog", read: eventlog::read, templates: TITLE_AND_TEXT },
    Type { word: "gotify", read: gotify::read, templates: TITLE_AND_TEXT },
    Type { word: "ntfy", read: ntfy::read, templates: TITLE_AND_TEXT },
    Type { word: "opsgenie", read: opsgenie::read, templates: TITLE_AND_TEXT },
    Type { word: "pagerduty", read: pagerduty::read, templates: TITLE_AND_TEXT },
    Type { word: "slack", read: slack::read, templates: TITLE_AND_TEXT },
    Type { word: "sms_http", read: sms::gateway::read, templates: &["text"] },
    Type { word: "sms_twilio", read: sms::twilio::read, templates: &["text"] },
    Type { word: "sms_vonage", read: sms::vonage::read, templates: &["text"] },
    Type { word: "syslog", read: syslog::read, templates: TITLE_AND_TEXT },
    Type { word: "teams", read: teams::read, templates: TITLE_AND_TEXT },
    Type { word: "telegram", read: telegram::read, templates: TITLE_AND_TEXT },
    Type { word: "webhook", read: webhook::read, templates: &["body"] },
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
    templates: Templates,
    limits: Limits,
    timeout: Duration,
    zone: TimeZone,
}

impl Telling<'_> {
    /// What a template says, if there is one; its mistake, if it has one.
    fn filled(&self, name: &str, escape: Escape) -> Option<Result<String, String>> {
        self.channel.templates.fill(name, self.notification, &self.channel.zone, escape)
    }

    fn has_template(&self, name: &str) -> bool {
        self.channel.templates.has(name)
    }

    /// One line.
    fn title(&self, escape: Escape, max: usize) -> String {
        let filled = self.filled("title", escape).and_then(Result::ok).map(|it| text::line(&it));
        let usual = || within(escape, &text::headline(self.notification), max);
        filled.filter(|it| fits(it, max)).unwrap_or_else(usual)
    }

    /// All but the title and the links.
    fn text(&self, escape: Escape, max: usize) -> String {
        self.told(escape, max, "")
    }

    /// All but the title.
    fn text_with_links(&self, escape: Escape, max: usize) -> String {
        let links = text::links(self.notification).into_iter();
        let lines: Vec<String> = links.map(|(name, url)| format!("{name}: {url}")).collect();
        let links = lines.join("\n");
        let has_room = !links.is_empty() && links.len() + 200 < max;
        self.told(escape, max, if has_room { &links } else { "" })
    }

    fn told(&self, escape: Escape, max: usize, links: &str) -> String {
        let mut problem = String::new();
        match self.filled("text", escape) {
            Some(Ok(text)) if fits(&text, max) => return text,
            Some(Ok(_)) => problem.push_str("\n\n(the channel's template says too much)"),
            Some(Err(failed)) => problem = format!("\n\n{failed}"),
            None => {}
        }
        let end = if links.is_empty() { String::new() } else { format!("\n\n{links}") };
        let told = text::told(self.notification, &self.channel.zone) + &problem;
        within(escape, &told, max.saturating_sub(end.chars().count())) + &end
    }

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

fn fits(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max
}

/// As much of a text as fits once it is escaped: cut before it, so that no escape is cut in two.
fn within(escape: Escape, text: &str, max: usize) -> String {
    let mut kept = max;
    loop {
        let escaped = escape(&text::cut(text, kept));
        if escaped.chars().count() <= max || kept == 0 {
            return escaped;
        }
        kept = kept * 3 / 4;
    }
}

/// A key that is too long for a receiver is told by its hash.
fn short_key(key: &str, max: usize) -> String {
    if key.chars().count() <= max {
        return key.to_owned();
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref())
}

/// Within a path of an address.
fn percent_encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one =
        |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect::<Vec<_>>().concat()
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
        let types: Vec<_> = TYPES.iter().map(|it| (it.word, it)).collect();
        if !fields.has("type") {
            fields.needed("type");
            return Err(fields.finish_known());
        }
        let Some(it) = fields.one_of("type", &types) else {
            return Err(fields.finish_known());
        };
        let timeout = fields.duration("timeout", 1..=120).unwrap_or(Self::TIMEOUT);
        let zone = zone(&mut fields);
        fields.text("description");
        let limits = Limits::read(&mut fields);
        let templates = Templates::read(&mut fields, it.templates);
        let way = (it.read)(&mut fields);
        let problems = fields.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { name: name.to_owned(), kind: it.word, way, templates, limits, timeout, zone })
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
        TYPES.iter().map(|it| it.word)
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
            ..TlsSettings::default()
        })
        .unwrap_or_default()
}

/// The address of a service that can be one's own server instead.
fn server(fields: &mut Fields, usual: &str) -> String {
    let Some((url, at)) = fields.placed("server") else { return usual.to_owned() };
    checked_server(fields, &url, at, usual)
}

/// As [`server`], where there is no usual one.
fn needed_server(fields: &mut Fields, example: &str) -> String {
    if !fields.has("server") {
        return fields.needed("server");
    }
    let Some((url, at)) = fields.placed("server") else { return String::new() };
    checked_server(fields, &url, at, example)
}

fn checked_server(fields: &Fields, url: &str, at: (usize, usize), usual: &str) -> String {
    let parsed: Option<Uri> = url.parse().ok();
    let is_web = parsed.is_some_and(|it| matches!(it.scheme_str(), Some("http" | "https")));
    if !is_web {
        fields.refuse("server", at, format!("`{url}` is no address such as {usual}"));
    }
    url.trim_end_matches('/').to_owned()
}

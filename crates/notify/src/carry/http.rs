//! Requests over HTTP.

use std::time::Duration;

use barograph_fetch::{Answer, Client, Credentials, Reach, SendError, TlsSettings};
use barograph_model::chain;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::failure::{Failure, Receipt, said};

/// What is read of an answer; nobody says more than this in earnest.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// Longer than this nobody is waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) receiver: String,
    pub(crate) method: Method,
    pub(crate) url: Address,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) more_headers: Vec<(String, String)>,
    pub(crate) credentials: Credentials,
    pub(crate) tls: TlsSettings,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

/// An address that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Call {
    /// A request with fields as a form sends them.
    pub(crate) fn form(
        receiver: impl Into<String>,
        url: String,
        pairs: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let body = form(pairs)?.into_bytes();
        Ok(Self::new(receiver, url, "application/x-www-form-urlencoded", body))
    }

    /// A request with a body of JSON.
    pub(crate) fn json(receiver: impl Into<String>, url: String, body: &serde_json::Value) -> Self {
        Self::new(receiver, url, "application/json", body.to_string().into_bytes())
    }

    pub(crate) fn new(
        receiver: impl Into<String>,
        url: String,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Self {
        Self {
            receiver: receiver.into(),
            method: Method::POST,
            url: Address(url),
            headers: Vec::new(),
            more_headers: Vec::new(),
            credentials: Credentials::None,
            tls: TlsSettings::default(),
            content_type,
            body,
        }
    }

    fn all_headers(&self) -> impl Iterator<Item = (&str, &String)> {
        let named = self.headers.iter().map(|(name, value)| (*name, value));
        named.chain(self.more_headers.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// As people read it. The secrets of a preview are masked already.
    pub(crate) fn shown(&self) -> String {
        let Self { method, url, content_type, .. } = self;
        let mut lines =
            vec![format!("{method} {}", url.0), format!("content-type: {content_type}")];
        lines.extend(self.all_headers().map(|(name, value)| format!("{name}: {value}")));
        lines.push(String::new());
        let json: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        lines.push(match json {
            Some(json) => format!("{json:#}"),
            None => String::from_utf8_lossy(&self.body).into_owned(),
        });
        lines.join("\n")
    }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Result<String, Failure> {
    serde_urlencoded::to_string(pairs).map_err(|error| Failure::permanent(error.to_string()))
}

pub(crate) async fn send(call: &Call, reach: &Reach) -> Result<Answer, Failure> {
    // What is wrong with an address may not repeat it: it can be a secret.
    let bad_url = || Failure::permanent("the channel's address is no address of a web server");
    let uri: Uri = call.url.0.parse().map_err(|_| bad_url())?;
    let client = Client::new(&uri, &call.credentials, &call.tls)
        .map_err(|error| match error {
            barograph_fetch::ClientError::Url { .. } => bad_url(),
            other => Failure::permanent(chain(&other)),
        })?
        .within(reach.clone());
    let target = uri.path_and_query().map_or("/", |it| it.as_str());
    let mut request = Request::builder().method(&call.method).uri(target).header(ACCEPT, "*/*");
    if !call.content_type.is_empty() {
        request = request.header(CONTENT_TYPE, call.content_type);
    }
    for (name, value) in call.all_headers() {
        let bad = || Failure::permanent(format!("the header `{name}` cannot be sent as it is"));
        let header = HeaderName::try_from(name).map_err(|_| bad())?;
        request = request.header(header, HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    let request = request.body(Full::from(call.body.clone())).map_err(|_| bad_url())?;
    client.send_and_cut(request, MAX_ANSWER_BYTES).await.map_err(|error| unsent(&error))
}

fn unsent(error: &SendError) -> Failure {
    match error {
        SendError::Connect(error) => super::unreached(error),
        _ => Failure::passing(chain(error)),
    }
}

/// What most servers mean by their answers.
pub(crate) fn judge(answer: &Answer) -> Result<Receipt, Failure> {
    let status = answer.status;
    let body = said(&String::from_utf8_lossy(&answer.body));
    if status.is_success() {
        return Ok(Receipt { text: body });
    }
    let reason = match (&*body, status) {
        (_, StatusCode::UNAUTHORIZED) => format!("{status}: the credentials are refused. {body}"),
        ("", _) => status.to_string(),
        _ => format!("{status}: {body}"),
    };
    if status.is_redirection() {
        let to = answer.headers.get(LOCATION).and_then(|it| it.to_str().ok());
        let host = to.and_then(|to| to.parse::<Uri>().ok()?.host().map(str::to_owned));
        let host = host.map_or_else(String::new, |host| format!(" to {host}"));
        let text = format!("{status}: the redirection{host} is not followed; correct the address");
        return Err(Failure::permanent(text));
    }
    // Behind a gateway that gave up, somebody may have it.
    let untaken = status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE;
    let (permanent, retry_after) = (is_permanent(status), retry_after(answer));
    Err(Failure { permanent, untaken, retry_after, text: reason })
}

/// A refusal that stays one: the request's own fault, and not the moment's.
pub(crate) fn is_permanent(status: StatusCode) -> bool {
    let passing = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::LOCKED,
    ];
    status.is_client_error() && !passing.contains(&status)
}

/// A wait that is asked for, within reason.
pub(crate) fn wait_of_seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0))
        .map_or(MAX_RETRY_AFTER, |it| it.min(MAX_RETRY_AFTER))
}

/// When to come again, in seconds or as a date by the answerer's own clock.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let header = |name| answer.headers.get(name).and_then(|it| it.to_str().ok());
    let text = header(RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(wait_of_seconds(seconds));
    }
    let date = |text: &str| -> Option<Timestamp> {
        rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    };
    let now = date(header(hyper::header::DATE)?)?;
    let wait = Duration::try_from(date(text)?.duration_since(now)).ok()?;
    Some(wait.min(MAX_RETRY_AFTER))
}

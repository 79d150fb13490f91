//! The page behind the link in a message: it shows the incident, and acknowledges when its button is
//! pressed. Programs that look at links in advance only ever ask for the page.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use barograph_alerts::escalation::{Probe, ProbeState};
use barograph_alerts::incident::{Acknowledgement, Incident, shown};
use barograph_model::chain;
use barograph_notify::escape_html;
use serde::Deserialize;

use crate::alerting::ActError;
use crate::app::Context;
use crate::link::{Link, LinkError};
use crate::timestamp::iso;

const MAX_BODY_BYTES: usize = 16 * 1024;
const MAX_ALERTS: usize = 10;
/// How long it can be acknowledged for, in minutes; 0: until it ends.
const LENGTHS: [(u32, &str); 5] =
    [(30, "30 minutes"), (120, "2 hours"), (480, "8 hours"), (1440, "a day"), (0, "until it ends")];

#[derive(Debug, Default, Deserialize)]
struct Form {
    #[serde(default)]
    minutes: u32,
    #[serde(default)]
    note: String,
}

/// `GET /acknowledge/TOKEN`: only looks.
pub(crate) async fn show(State(context): State<Context>, Path(token): Path<String>) -> Response {
    let found = tokio::task::spawn_blocking(move || {
        let link = context.dispatch.postman().links().read(&token)?;
        if link.incident == 0 {
            return Ok(pager_question(&link));
        }
        let incident =
            context.alerting.incident(link.incident).ok_or(ActError::Unknown(link.incident))?;
        Ok::<_, ActError>(question(&link, &incident))
    });
    match found.await {
        Ok(Ok(question)) => page(StatusCode::OK, "Acknowledge", &question),
        Ok(Err(error)) => refusal(&error),
        Err(_) => broken(),
    }
}

/// `POST /acknowledge/TOKEN`: acts.
pub(crate) async fn act(
    State(context): State<Context>,
    Path(token): Path<String>,
    body: Bytes,
) -> Response {
    if body.len() > MAX_BODY_BYTES {
        return page(StatusCode::PAYLOAD_TOO_LARGE, "Too long", "<p>The note is too long.</p>");
    }
    let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let done = tokio::task::spawn_blocking(move || {
        let link = context.dispatch.postman().links().read(&token)?;
        if link.incident == 0 {
            return context.alerting.answer_pager_by(&link).map(|it| pager_answered(&link, &it));
        }
        let at_ms = context.clock.now_ms();
        let length_ms = i64::from(form.minutes) * 60_000;
        let until_ms = (length_ms > 0).then(|| at_ms.saturating_add(length_ms));
        let by = Acknowledgement { by: link.who.clone(), note: form.note, at_ms, until_ms };
        let incident = context.alerting.acknowledge_by(&link, by)?;
        Ok::<_, ActError>(acknowledged(&link, &incident))
    });
    match done.await {
        Ok(Ok(text)) => page(StatusCode::OK, "Acknowledged", &text),
        Ok(Err(error)) => refusal(&error),
        Err(_) => broken(),
    }
}

fn acknowledged(link: &Link, incident: &Incident) -> String {
    let until = incident.acknowledged.as_ref().and_then(|it| it.until_ms);
    let until = until.map_or("until it ends".to_owned(), |it| format!("until {}", iso(it)));
    format!(
        "<p>Incident {} is acknowledged by {} {until}.</p><p>Nobody else is told of it, unless it \
         gets worse.</p>",
        link.incident,
        escape_html(&link.who)
    )
}

fn pager_question(link: &Link) -> String {
    format!(
        "<p>This is a test of whether {} can be reached. Nothing is wrong.</p>\
         <form method=\"post\"><p><button>Acknowledge the test</button></p></form>",
        escape_html(&link.who)
    )
}

fn pager_answered(link: &Link, probe: &Probe) -> String {
    let late = match probe.state {
        ProbeState::Late => ", later than it should have been",
        _ => "",
    };
    format!("<p>The pager test of {} is answered{late}.</p>", escape_html(&link.who))
}

fn question(link: &Link, incident: &Incident) -> String {
    if !incident.is_open() {
        return "<p>The incident is over; nothing is left to do.</p>".to_owned();
    }
    let mut lines = format!("<p>Incident {}, since {}", link.incident, iso(incident.opened_ms));
    if let Some(by) = incident.acknowledged.as_ref().map(|it| &it.by) {
        lines.extend(["; acknowledged by ", &escape_html(by), " already"]);
    }
    lines += ".</p><ul>";
    for member in incident.firing().take(MAX_ALERTS) {
        let said = member.annotations.get("summary").cloned();
        let line = said.unwrap_or_else(|| shown(&member.labels));
        lines.extend(["<li>", &escape_html(&line), "</li>"]);
    }
    let more = incident.firing().count().saturating_sub(MAX_ALERTS);
    if more > 0 {
        lines.extend(["<li>and ", &more.to_string(), " more</li>"]);
    }
    let mut options = String::new();
    for (minutes, text) in LENGTHS {
        let selected = if minutes == 120 { "\" selected>" } else { "\">" };
        options.extend(["<option value=\"", &minutes.to_string(), selected, text, "</option>"]);
    }
    format!(
        "{lines}</ul><form method=\"post\"><p><label>I deal with it for \
         <select name=\"minutes\">{options}</select></label></p><p><label>Note \
         <input name=\"note\" maxlength=\"{}\" autocomplete=\"off\"></label></p><p><button>\
         Acknowledge as {}</button></p></form>",
        Incident::MAX_TEXT_CHARS,
        escape_html(&link.who)
    )
}

fn refusal(error: &ActError) -> Response {
    let status = match error {
        ActError::Link(LinkError::Forged) | ActError::Unknown(_) | ActError::NoAttempt(_) => {
            StatusCode::NOT_FOUND
        }
        ActError::Link(LinkError::Expired | LinkError::Used) => StatusCode::GONE,
        ActError::Refused(_) | ActError::Attempt(_) | ActError::NotOffered(_) => {
            StatusCode::CONFLICT
        }
        ActError::Link(LinkError::State(_)) | ActError::Unsaved(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    page(status, "Not acknowledged", &format!("<p>{}.</p>", escape_html(&chain(error))))
}

fn broken() -> Response {
    let text = "<p>It could not be done; the log of the server tells why.</p>";
    page(StatusCode::INTERNAL_SERVER_ERROR, "Not acknowledged", text)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title} – Barograph</title><h1>{title}</h1>{body}</html>"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    // Only this page has a form.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! What happened on the host.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_collect::event::{Event, EventValue};
use serde::Serialize;

use crate::app::{App, Context};
use crate::events::EventLog;
use crate::timestamp::{self, iso};

use super::error::ApiError;
use super::range::histories_permit;
use super::waiting::wait;

#[derive(Debug, Serialize)]
pub(crate) struct EventsAnswer {
    /// Oldest first.
    events: Vec<EventAnswer>,
    /// The range has more: the older ones were left out.
    more: bool,
    /// Stored events that could not be read.
    damaged: u64,
    /// Events that could not be stored since the server started.
    lost: u64,
}

#[derive(Debug, Serialize)]
struct EventAnswer {
    time_ms: i64,
    timestamp: String,
    kind: String,
    subject: String,
    fields: BTreeMap<String, FieldAnswer>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum FieldAnswer {
    Integer(i64),
    Text(String),
}

pub(crate) async fn events(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<EventsAnswer>, ApiError> {
    let asked = Asked::parse(text.as_deref().unwrap_or_default(), context.clock.now_ms())?;
    let permit = histories_permit(&context).await?;
    let read = move || {
        let _permit = permit;
        answer(&context, &asked)
    };
    wait("reading the events", read).await?.map(Json)
}

fn answer(app: &App, asked: &Asked) -> Result<EventsAnswer, ApiError> {
    let found = app
        .events
        .read((asked.from_ms, asked.to_ms), &asked.kinds, asked.limit)
        .map_err(|error| ApiError::internal("not_readable", barograph_model::chain(&error)))?;
    Ok(EventsAnswer {
        events: found.events.into_iter().map(event).collect(),
        more: found.more,
        damaged: found.damaged,
        lost: app.events.lost(),
    })
}

fn event(event: Event) -> EventAnswer {
    let field = |value| match value {
        EventValue::Integer(number) => FieldAnswer::Integer(number),
        EventValue::Text(text) => FieldAnswer::Text(text),
    };
    EventAnswer {
        time_ms: event.time_ms,
        timestamp: iso(event.time_ms),
        kind: event.kind.into_owned(),
        subject: event.subject,
        fields: event.fields.into_iter().map(|(n, v)| (n.into_owned(), field(v))).collect(),
    }
}

/// What the parameters mean.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    from_ms: i64,
    to_ms: i64,
    kinds: Vec<String>,
    limit: usize,
}

impl Asked {
    const DEFAULT_RANGE_MS: i64 = 86_400_000;
    const DEFAULT_LIMIT: usize = 1000;
    const MAX_KINDS: usize = 20;

    fn parse(text: &str, now_ms: i64) -> Result<Self, ApiError> {
        let (mut from_ms, mut to_ms) = (None, None);
        let mut kinds = Vec::new();
        let mut limit = Self::DEFAULT_LIMIT;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| bad("the parameters are not in the form `name=value&…`"))?;
        for (name, value) in pairs {
            match name.as_str() {
                "from" => from_ms = Some(time("from", &value)?),
                "to" => to_ms = Some(time("to", &value)?),
                "kind" if kinds.len() < Self::MAX_KINDS => kinds.push(value),
                "kind" => return Err(bad("`kind` can be given 20 times at most")),
                "limit" => {
                    limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=EventLog::MAX_ANSWER).contains(limit))
                        .ok_or_else(|| bad("`limit` is a number from 1 to 10000"))?;
                }
                _ => {
                    return Err(bad(&format!(
                        "there is no parameter `{}`; allowed are from, to, kind, limit",
                        name.chars().take(40).collect::<String>()
                    )));
                }
            }
        }
        // Clocks of other machines may be ahead of ours.
        let to_ms = to_ms.unwrap_or(i64::MAX);
        let from_ms = from_ms.unwrap_or(to_ms.min(now_ms) - Self::DEFAULT_RANGE_MS);
        if from_ms > to_ms {
            return Err(bad("`from` lies after `to`"));
        }
        Ok(Self { from_ms, to_ms, kinds, limit })
    }
}

fn time(name: &str, text: &str) -> Result<i64, ApiError> {
    timestamp::parse(text).ok_or_else(|| {
        bad(&format!("`{name}` is a time: milliseconds since 1970, or ISO 8601 with a zone"))
    })
}

fn bad(message: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parameters_are_understood() {
        let asked = Asked::parse("from=1000&to=5000&kind=a&kind=b&limit=7", 0).unwrap();
        let kinds = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(asked, Asked { from_ms: 1000, to_ms: 5000, kinds, limit: 7 });
        let asked = Asked::parse("", 100_000_000).unwrap();
        assert_eq!((asked.from_ms, asked.limit), (13_600_000, 1000));
    }

    #[test]
    fn mistakes_name_the_parameter() {
        for (text, part) in [
            ("from=x", "`from` is a time"),
            ("from=9&to=5", "`from` lies after `to`"),
            ("limit=0", "`limit` is a number from 1 to 10000"),
            ("kinds=a", "no parameter `kinds`"),
        ] {
            let message = Asked::parse(text, 0).unwrap_err().message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

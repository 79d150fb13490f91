//! The processes of this host, now or at a stored moment.

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_collect::process::ProcessSort;

use crate::answers::ProcessesAnswer;
use crate::app::{App, Context};
use crate::timestamp::{self, iso};

use super::error::ApiError;
use super::range::histories_permit;
use super::waiting::wait;

pub(crate) async fn processes(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<ProcessesAnswer>, ApiError> {
    let asked = Asked::parse(text.as_deref().unwrap_or_default())?;
    let permit = match asked.at_ms {
        Some(_) => Some(histories_permit(&context).await?),
        None => None,
    };
    let read = move || {
        let _permit = permit;
        answer(&context, &asked)
    };
    wait("reading the processes", read).await?.map(Json)
}

fn answer(app: &App, asked: &Asked) -> Result<ProcessesAnswer, ApiError> {
    let Some(at_ms) = asked.at_ms else {
        let now = app.processes.now().ok_or_else(|| {
            ApiError::unavailable(
                "no_data_yet",
                "the processes have not been read yet; ask again in a second",
            )
        })?;
        let answer = ProcessesAnswer::new(&now, asked.sort, asked.top);
        return Ok(answer.with_events(app.processes.event_source()));
    };
    let stored = app.processes.at(at_ms).map_err(|error| {
        tracing::warn!(error = barograph_model::chain(&error), "stored processes not read");
        ApiError::internal("not_readable", barograph_model::chain(&error))
    })?;
    let stored = stored.ok_or_else(|| {
        ApiError::not_found(
            "nothing_stored",
            format!("no processes were stored at {} or before", iso(at_ms)),
        )
    })?;
    Ok(ProcessesAnswer::new(&stored, asked.sort, asked.top))
}

/// What the parameters mean.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    at_ms: Option<i64>,
    sort: ProcessSort,
    top: Option<usize>,
}

impl Asked {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let mut asked = Self { at_ms: None, sort: ProcessSort::Cpu, top: None };
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| bad("the parameters are not in the form `name=value&…`"))?;
        for (name, value) in pairs {
            match name.as_str() {
                "at" => {
                    asked.at_ms = Some(timestamp::parse(&value).ok_or_else(|| {
                        bad("`at` is a time: milliseconds since 1970, or ISO 8601 with a zone")
                    })?);
                }
                "sort" => {
                    asked.sort = ProcessSort::from_word(&value)
                        .ok_or_else(|| bad("`sort` is cpu, memory or io"))?;
                }
                "top" => {
                    let top = value.parse().ok().filter(|top| *top > 0);
                    asked.top =
                        Some(top.ok_or_else(|| bad("`top` is a number of processes, from 1"))?);
                }
                _ => {
                    return Err(bad(&format!(
                        "there is no parameter `{}`; allowed are at, sort, top",
                        name.chars().take(40).collect::<String>()
                    )));
                }
            }
        }
        Ok(asked)
    }
}

fn bad(message: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parameters_are_understood() {
        let expect = Asked { at_ms: Some(1000), sort: ProcessSort::Io, top: Some(5) };
        assert_eq!(Asked::parse("at=1970-01-01T00:00:01Z&sort=io&top=5").unwrap(), expect);
        let expect = Asked { at_ms: None, sort: ProcessSort::Cpu, top: None };
        assert_eq!(Asked::parse("").unwrap(), expect);
    }

    #[test]
    fn mistakes_name_the_parameter() {
        for (text, part) in [
            ("at=now", "`at` is a time"),
            ("sort=size", "`sort` is cpu, memory or io"),
            ("top=0", "`top` is a number"),
            ("limit=1", "no parameter `limit`; allowed are at, sort, top"),
        ] {
            let message = Asked::parse(text).unwrap_err().message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

//! The processes of this host, now or at a stored moment.

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_collect::process::{EventSource, Process, ProcessSnapshot, ProcessSort};
use serde::Serialize;

use crate::app::{App, Context};
use crate::timestamp::{self, iso};

use super::error::ApiError;
use super::range::histories_permit;

#[derive(Debug, Serialize)]
pub(crate) struct ProcessesAnswer {
    /// Of the reading that answers: at the asked time or before it.
    time_ms: i64,
    timestamp: String,
    /// All of the host's processes, also where only those are listed that used most.
    total: usize,
    /// Whether these are all of them.
    complete: bool,
    /// Processes of which the system refused to tell some particulars.
    denied: usize,
    sort: &'static str,
    processes: Vec<ProcessAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<EventSourceAnswer>,
}

#[derive(Debug, Serialize)]
struct ProcessAnswer {
    pid: u32,
    parent: u32,
    started_ms: Option<i64>,
    name: String,
    path: Option<String>,
    command_line: Option<String>,
    user: Option<String>,
    service: Option<String>,
    cgroup: Option<String>,
    state: &'static str,
    cpu_percent: Option<f64>,
    cpu_user_percent: Option<f64>,
    cpu_privileged_percent: Option<f64>,
    working_set_bytes: u64,
    virtual_bytes: u64,
    page_file_bytes: Option<u64>,
    threads: u64,
    handles: Option<u64>,
    read_bytes_per_second: Option<f64>,
    written_bytes_per_second: Option<f64>,
}

/// How starts and ends of processes are found.
#[derive(Debug, Serialize)]
struct EventSourceAnswer {
    source: &'static str,
    why: Option<String>,
}

pub(crate) async fn processes(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<ProcessesAnswer>, ApiError> {
    let asked = Asked::parse(text.as_deref().unwrap_or_default())?;
    let permit = match asked.at_ms {
        Some(_) => Some(histories_permit(&context).await?),
        None => None,
    };
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        answer(&context, &asked)
    })
    .await
    .map_err(|_| ApiError::internal("panic", "reading the processes failed; see the log"))?
    .map(Json)
}

fn answer(app: &App, asked: &Asked) -> Result<ProcessesAnswer, ApiError> {
    let Some(at_ms) = asked.at_ms else {
        let now = app.processes.now().ok_or_else(|| {
            ApiError::unavailable(
                "no_data_yet",
                "the processes have not been read yet; ask again in a second",
            )
        })?;
        let source = event_source(app.processes.event_source());
        return Ok(ProcessesAnswer { events: Some(source), ..shown(&now, asked) });
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
    Ok(shown(&stored, asked))
}

fn shown(snapshot: &ProcessSnapshot, asked: &Asked) -> ProcessesAnswer {
    let mut order: Vec<&Process> = snapshot.processes.iter().collect();
    order.sort_by(|a, b| asked.sort.compare(a, b));
    order.truncate(asked.top.unwrap_or(usize::MAX));
    ProcessesAnswer {
        time_ms: snapshot.time_ms,
        timestamp: iso(snapshot.time_ms),
        total: snapshot.total,
        complete: order.len() == snapshot.total,
        denied: snapshot.denied,
        sort: asked.sort.as_str(),
        processes: order.into_iter().map(process).collect(),
        events: None,
    }
}

fn process(one: &Process) -> ProcessAnswer {
    let facts = &one.facts;
    ProcessAnswer {
        pid: one.id.pid,
        parent: one.parent,
        started_ms: one.started_ms,
        name: facts.name.clone(),
        path: facts.path.clone(),
        command_line: facts.command_line.clone(),
        user: facts.user.clone(),
        service: facts.service.clone(),
        cgroup: facts.cgroup.clone(),
        state: one.state.as_str(),
        cpu_percent: one.cpu_percent(),
        cpu_user_percent: one.cpu_user_percent,
        cpu_privileged_percent: one.cpu_privileged_percent,
        working_set_bytes: one.working_set_bytes,
        virtual_bytes: one.virtual_bytes,
        page_file_bytes: one.page_file_bytes,
        threads: one.threads,
        handles: one.handles,
        read_bytes_per_second: one.read_bytes_per_second,
        written_bytes_per_second: one.written_bytes_per_second,
    }
}

fn event_source(source: EventSource) -> EventSourceAnswer {
    match source {
        EventSource::Unknown => EventSourceAnswer { source: "unknown", why: None },
        EventSource::Kernel => EventSourceAnswer { source: "kernel", why: None },
        EventSource::Differences { why } => {
            EventSourceAnswer { source: "differences", why: Some(why) }
        }
    }
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

    #[test]
    fn the_largest_come_first_and_the_answer_says_that_it_is_a_part() {
        let snapshot = crate::process_record::tests::snapshot(5000, 30);
        let asked = Asked { at_ms: None, sort: ProcessSort::Memory, top: Some(2) };
        let answer = shown(&snapshot, &asked);
        let memory: Vec<_> = answer.processes.iter().map(|one| one.working_set_bytes).collect();
        assert_eq!(memory, [29 << 20, 28 << 20]);
        assert_eq!((answer.total, answer.complete), (500, false));
    }
}

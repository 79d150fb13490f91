//! One history by a plain request: what the live interface gives, for scripts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_promql::EvalError;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::{App, Context};
use crate::history::{History, HistoryAnswer, HistoryError};
use crate::queries::AskError;
use crate::query::{Aggregation, Query};
use crate::timestamp;
use crate::top::{Top, TopError};

use super::error::ApiError;
use super::waiting::wait;

pub(crate) async fn range(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<HistoryAnswer>, ApiError> {
    let now_ms = context.clock.now_ms();
    let asked = Asked::parse(text.as_deref().unwrap_or_default(), now_ms)?;
    let top = find_top(&context, &asked.query, (asked.from_ms, asked.to_ms)).await?;
    let permit = histories_permit(&context).await?;
    let cancel = CancelOnDrop::default();
    let cancelled = Arc::clone(&cancel.0);
    wait("reading the history", move || {
        let _permit = permit;
        answer(&context, asked, top, &cancelled)
    })
    .await?
    .map(Json)
}

fn answer(
    app: &App,
    asked: Asked,
    top: Option<Top>,
    cancelled: &AtomicBool,
) -> Result<HistoryAnswer, ApiError> {
    let from_ms = asked.from_ms.max(app.oldest_ms().unwrap_or(asked.from_ms)).min(asked.to_ms);
    let metric = asked.query.metric.clone();
    let history = History::new(asked.query, &app.host.host, from_ms, asked.to_ms, asked.step_ms);
    let mut history = history.only(top);
    history.read_to(&app.store, asked.to_ms, cancelled).map_err(|e| history_error(&e))?;
    if history.series_labels().next().is_none() {
        known_metric(app, &metric)?;
    }
    Ok(history.finish(app.interval_ms))
}

pub(crate) fn known_metric(app: &App, name: &str) -> Result<(), ApiError> {
    let stored = app.store.metric_names(i64::MIN, i64::MAX).data;
    if stored.contains_key(name) || app.headline.contains(&name) {
        return Ok(());
    }
    Err(ApiError::unknown_metric(name, stored.into_keys()))
}

/// The series that a query with `top` is about.
///
/// # Errors
/// They could not be found.
pub(crate) async fn find_top(
    app: &App,
    query: &Query,
    range: (i64, i64),
) -> Result<Option<Top>, ApiError> {
    let from = (&app.queries, &app.store);
    Top::find(from, (query, &app.host.host), range).await.map_err(|error| match &error {
        TopError::Query(_) => ApiError::bad_request("bad_parameter", error.to_string()),
        TopError::Ask(problem) => unanswered(problem),
    })
}

/// Why a question in PromQL has no answer.
pub(crate) fn unanswered(error: &AskError) -> ApiError {
    let message = error.to_string();
    match error {
        AskError::Eval(
            EvalError::TooManySeries { .. }
            | EvalError::TooManySamples { .. }
            | EvalError::TooManyPoints { .. }
            | EvalError::Timeout { .. },
        ) => ApiError::over_limit("over_limit", message),
        AskError::Eval(EvalError::Cancelled) => ApiError::unavailable("cancelled", message),
        AskError::Eval(_) => ApiError::internal("unreadable", message),
        AskError::Queue { .. } => ApiError::unavailable("busy", message),
        AskError::Panicked => ApiError::internal("panic", message),
    }
}

/// Waits a little for its turn to read history.
///
/// # Errors
/// Too many others wait: the client is told to come back.
pub(crate) async fn histories_permit(app: &App) -> Result<OwnedSemaphorePermit, ApiError> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let turn = Arc::clone(&app.limits.histories).acquire_owned();
    match tokio::time::timeout(PATIENCE, turn).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ApiError::later(
            "busy",
            "too many histories are being read; ask again in some seconds",
        )),
    }
}

/// Tells the reading thread that nobody waits for its answer any more.
#[derive(Debug, Default)]
pub(crate) struct CancelOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

pub(crate) fn history_error(error: &HistoryError) -> ApiError {
    match error {
        HistoryError::TooManySeries | HistoryError::TooManySamples => {
            ApiError::over_limit("over_limit", error.to_string())
        }
        HistoryError::Cancelled => ApiError::unavailable("cancelled", error.to_string()),
        HistoryError::Failed(_) => ApiError::internal("unreadable", error.to_string()),
    }
}

/// What the parameters mean.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) query: Query,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// 0 if the range says it.
    pub(crate) step_ms: i64,
}

impl Asked {
    const DEFAULT_RANGE_MS: i64 = 3_600_000;

    pub(crate) fn parse(text: &str, now_ms: i64) -> Result<Self, ApiError> {
        let mut query = Query::metric("");
        let (mut from_ms, mut to_ms, mut step_ms) = (None, now_ms, 0);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| bad("the parameters are not in the form `name=value&…`"))?;
        for (name, value) in pairs {
            match name.as_str() {
                "metric" => query.metric = value,
                "match" => {
                    let (label, wanted) = value
                        .split_once('=')
                        .ok_or_else(|| bad("`match` has the form `label=value`"))?;
                    query.matching.insert(label.to_owned(), wanted.to_owned());
                }
                "rate" => query.rate = parse_bool(&value)?,
                "by" => {
                    query.by.get_or_insert_default().extend((!value.is_empty()).then_some(value));
                }
                "agg" => query.agg = parse_aggregation(&value)?,
                "from" => from_ms = Some(parse_time("from", &value)?),
                "to" => to_ms = parse_time("to", &value)?,
                "step" => step_ms = parse_step(&value)?,
                "top" => {
                    let top = value.parse().map_err(|_| bad("`top` is a number"))?;
                    query.top = Some(top);
                }
                _ => {
                    return Err(bad(&format!(
                        "there is no parameter `{}`; allowed are metric, match, rate, by, agg, top, from, to, step",
                        name.chars().take(40).collect::<String>()
                    )));
                }
            }
        }
        query.check().map_err(|error| bad(&error.to_string()))?;
        let from_ms = from_ms.unwrap_or(to_ms - Self::DEFAULT_RANGE_MS);
        if from_ms > to_ms {
            return Err(bad("`from` lies after `to`"));
        }
        Ok(Self { query, from_ms, to_ms, step_ms })
    }
}

fn bad(message: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", message)
}

fn parse_bool(text: &str) -> Result<bool, ApiError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(bad("`rate` is true or false")),
    }
}

fn parse_aggregation(text: &str) -> Result<Aggregation, ApiError> {
    match text {
        "sum" => Ok(Aggregation::Sum),
        "max" => Ok(Aggregation::Max),
        "min" => Ok(Aggregation::Min),
        "avg" => Ok(Aggregation::Avg),
        _ => Err(bad("`agg` is sum, max, min or avg")),
    }
}

pub(crate) fn parse_time(name: &str, text: &str) -> Result<i64, ApiError> {
    /// The year 9999, and as far before 1970.
    const FAR_MS: i64 = 253_402_300_799_999;
    timestamp::parse(text).filter(|time_ms| time_ms.abs() <= FAR_MS).ok_or_else(|| {
        bad(&format!("`{name}` is a time: milliseconds since 1970, or ISO 8601 with a zone"))
    })
}

fn parse_step(text: &str) -> Result<i64, ApiError> {
    text.parse::<i64>()
        .ok()
        .filter(|step_ms| (1..=History::MAX_STEP_MS).contains(step_ms))
        .ok_or_else(|| bad("`step` is a number of milliseconds, at most 30 days"))
}

/// The labels of an answer, as the live interface's clients know them.
pub(crate) type AnswerLabels = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Asked::parse(text, 0).unwrap_err().message
    }

    #[test]
    fn all_parameters_are_understood() {
        let asked = Asked::parse(
            "metric=cpu_seconds_total&match=cpu%3D0&rate=true&by=mode&agg=avg&top=9&from=1000&to=5000&step=1000",
            0,
        )
        .unwrap();
        assert_eq!(
            asked.query,
            Query {
                metric: "cpu_seconds_total".into(),
                matching: [("cpu".to_owned(), "0".to_owned())].into(),
                rate: true,
                by: Some(vec!["mode".into()]),
                agg: Aggregation::Avg,
                top: Some(9),
            }
        );
        assert_eq!((asked.from_ms, asked.to_ms, asked.step_ms), (1000, 5000, 1000));
    }

    #[test]
    fn empty_by_joins_everything() {
        assert_eq!(Asked::parse("metric=m&by=", 0).unwrap().query.by, Some(vec![]));
    }

    #[test]
    fn mistakes_name_the_parameter() {
        assert!(message("metric=m&frm=1").contains("no parameter `frm`"));
        assert!(message("metric=m&from=yesterday").contains("`from` is a time"));
        assert!(message("metric=m&from=9&to=5").contains("`from` lies after `to`"));
        assert!(message("metric=m&step=0").contains("`step`"));
        assert!(message("match=x").contains("`match` has the form"));
        assert!(message("").contains("`metric` is empty"));
    }
}

//! `GET /api/baseline`: what is usual at these hours of the week.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Json, Response};

use crate::app::Context;
use crate::baseline::{BaselineError, Baselines, Hours};

use super::error::ApiError;
use super::range::{Asked, known_metric, unanswered};

pub(crate) async fn baseline(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    let now_ms = context.clock.now_ms();
    let asked = Asked::parse(text.as_deref().unwrap_or_default(), now_ms)?;
    if asked.step_ms != 0 || asked.query.top.is_some() {
        return Err(ApiError::bad_request(
            "bad_parameter",
            "`step` and `top` are not allowed: what is usual is known by the hour, of all series",
        ));
    }
    if asked.to_ms - asked.from_ms > Baselines::MAX_RANGE_MS {
        return Err(ApiError::bad_request(
            "bad_parameter",
            "`from` and `to` are 31 days apart at most",
        ));
    }
    let hours = Hours::of(asked.from_ms, asked.to_ms);
    let from = (&context.queries, &context.store);
    let question = (&asked.query, context.host.host.as_str());
    let answer = context
        .queries
        .baselines
        .find(from, question, hours, now_ms)
        .await
        .map_err(|it| refused(&it))?;
    if answer.series.is_empty() {
        known_metric(&context, &asked.query.metric)?;
    }
    Ok(Json(&*answer).into_response())
}

fn refused(error: &BaselineError) -> ApiError {
    match error {
        BaselineError::TooManySeries => ApiError::over_limit("over_limit", error.to_string()),
        BaselineError::Query(_) => ApiError::bad_request("bad_parameter", error.to_string()),
        BaselineError::Ask(problem) => unanswered(problem),
    }
}

//! Questions at a moment and over a range.

use axum::extract::State;
use axum::response::Response;
use barograph_promql::ast::ValueType;
use barograph_promql::{Answer, Value};

use super::error::{ErrorKind, Refused};
use super::params::Params;
use super::respond;
use crate::app::Context;
use crate::queries::{When, Wishes};

const TRUNCATED: &str = "results truncated due to limit";

pub(super) async fn query(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let limit = params.limit("limit")?;
    let at_ms = params.named_time("time")?.unwrap_or_else(|| context.clock.now_ms());
    let wishes = wishes(&params)?;
    let text = params.get("query").unwrap_or_default();
    let query =
        context.queries.parse(text, 0).map_err(|error| Refused::parameter("query", error))?;
    let when = When::Instant { at_ms };
    let answer = context.queries.ask(&context.store, &query, when, wishes).await?;
    Ok(respond::answer(limited(answer, limit), at_ms, params.get("stats").is_some()))
}

pub(super) async fn query_range(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let limit = params.limit("limit")?;
    let from_ms = params.required_time("start")?;
    let to_ms = params.required_time("end")?;
    if to_ms < from_ms {
        return Err(Refused::parameter("end", "end timestamp must not be before start time"));
    }
    let step_ms = params
        .duration("step")?
        .ok_or_else(|| Refused::parameter("step", "cannot parse \"\" to a valid duration"))?;
    if step_ms <= 0 {
        let problem = "zero or negative query resolution step widths are not accepted. \
                       Try a positive integer";
        return Err(Refused::parameter("step", problem));
    }
    check_points(&context, from_ms, to_ms, step_ms)?;
    let wishes = wishes(&params)?;
    let text = params.get("query").unwrap_or_default();
    let query =
        context.queries.parse(text, step_ms).map_err(|error| Refused::parameter("query", error))?;
    let kind = query.expr().value_type();
    if !matches!(kind, ValueType::Scalar | ValueType::Vector) {
        let problem = format!(
            "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
            kind.documented()
        );
        return Err(Refused::parameter("query", problem));
    }
    let when = When::Range { from_ms, to_ms, step_ms };
    let answer = context.queries.ask(&context.store, &query, when, wishes).await?;
    Ok(respond::answer(limited(answer, limit), to_ms, params.get("stats").is_some()))
}

fn check_points(context: &Context, from_ms: i64, to_ms: i64, step_ms: i64) -> Result<(), Refused> {
    let max = context.queries.settings().max_points;
    let points = (to_ms - from_ms) / step_ms;
    if usize::try_from(points).is_ok_and(|points| points <= max) {
        return Ok(());
    }
    Err(Refused::new(
        ErrorKind::BadData,
        format!(
            "exceeded maximum resolution of {max} points per timeseries. Try decreasing the \
             query resolution (?step=XX), or raise `query.max_points`"
        ),
    ))
}

fn wishes(params: &Params) -> Result<Wishes, Refused> {
    Ok(Wishes { lookback: params.lookback()?, timeout: params.timeout()? })
}

/// The first series only, with a warning if there were more.
fn limited(mut answer: Answer, limit: Option<usize>) -> Answer {
    let Some(limit) = limit else { return answer };
    let cut = match &mut answer.value {
        Value::Vector(samples) if samples.len() > limit => {
            samples.truncate(limit);
            true
        }
        Value::Matrix(series) if series.len() > limit => {
            series.truncate(limit);
            true
        }
        _ => false,
    };
    if cut {
        answer.warnings.push(TRUNCATED.to_owned());
    }
    answer
}

//! `POST /api/rules/backtest`: what rules would have done on the stored history.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use barograph_alerts::rule::{Group, Rule, read_rules_with};
use serde::{Deserialize, Serialize};

use crate::alerting::Tested;
use crate::app::Context;
use crate::queries::CounterPaths;

use super::documents::text_of;
use super::error::ApiError;
use super::extract::parameters;
use super::range::{CancelOnDrop, histories_permit};
use super::waiting::wait;

/// Rules at once.
const MAX_RULES: usize = 100;
/// Steps of one rule, and the shortest of them.
const MAX_STEPS: i64 = 100_000;
const MIN_STEP_MS: i64 = 1000;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Milliseconds since 1970 UTC.
    from: Option<i64>,
    to: Option<i64>,
    /// Milliseconds between two evaluations.
    step: Option<i64>,
    /// Only the rules of this name.
    rule: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct BacktestAnswer {
    from_ms: i64,
    to_ms: i64,
    step_ms: i64,
    rules: Vec<Tested>,
}

/// The body is a rule file.
pub(crate) async fn backtest(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
    body: Body,
) -> Result<Json<BacktestAnswer>, ApiError> {
    let bad = |message: String| ApiError::bad_request("bad_parameter", message);
    let asked: Asked = parameters(text.as_deref().unwrap_or_default())?;
    let rules = text_of(&context, body).await?;
    let groups = read(&rules, asked.rule.as_deref())?;
    let to_ms = asked.to.unwrap_or_else(|| context.clock.now_ms());
    let from_ms = asked.from.unwrap_or(to_ms.saturating_sub(DAY_MS));
    // Before the first sample nothing can fire.
    let from_ms = from_ms.max(context.oldest_ms().unwrap_or(from_ms));
    if from_ms >= to_ms {
        return Err(bad("`from` is not before `to`, or nothing is stored between them".to_owned()));
    }
    let step_ms = step(asked.step, from_ms, to_ms)?;
    let permit = histories_permit(&context).await?;
    // Whoever stops waiting ends the evaluation.
    let cancel = CancelOnDrop::default();
    let cancelled = Arc::clone(&cancel.0);
    let alerting = Arc::clone(&context.alerting);
    let test = move || {
        let _permit = permit;
        alerting.backtest(&groups, asked.rule.as_deref(), (from_ms, to_ms), step_ms, &cancelled)
    };
    let rules = wait("evaluating the rules", test).await?;
    Ok(Json(BacktestAnswer { from_ms, to_ms, step_ms, rules }))
}

/// The rules of a text in which there are alerting rules (of this name), and not too many.
fn read(text: &str, name: Option<&str>) -> Result<Vec<Group>, ApiError> {
    let groups = read_rules_with(text, &CounterPaths::for_rules()).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        ApiError::over_limit("invalid_document", told.join("\n"))
    })?;
    let is_wanted =
        |it: &&Rule| matches!(it, Rule::Alerting(_)) && name.is_none_or(|name| name == it.name());
    match groups.iter().flat_map(|group| &group.rules).filter(is_wanted).count() {
        0 => Err(ApiError::bad_request("no_rules", "there is no such alerting rule in the body")),
        1..=MAX_RULES => Ok(groups),
        count => {
            let message =
                format!("{count} alerting rules, at most {MAX_RULES} are allowed at once");
            Err(ApiError::over_limit("too_many_rules", message))
        }
    }
}

/// The step that was asked for, or one that keeps the number of steps bearable.
fn step(asked: Option<i64>, from_ms: i64, to_ms: i64) -> Result<i64, ApiError> {
    const WHOLE_MS: i64 = 10_000;
    let length_ms = to_ms.saturating_sub(from_ms);
    let Some(step_ms) = asked else {
        let least = length_ms / 20_000;
        return Ok((least.div_euclid(WHOLE_MS) + 1).saturating_mul(WHOLE_MS));
    };
    if step_ms < MIN_STEP_MS || length_ms / step_ms > MAX_STEPS {
        let least = (length_ms / MAX_STEPS).max(MIN_STEP_MS);
        let message = format!("`step` is {step_ms}, allowed are {least} ms and more here");
        return Err(ApiError::bad_request("bad_parameter", message));
    }
    Ok(step_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_bounded() {
        assert_eq!(step(None, 0, 3_600_000).unwrap(), 10_000);
        assert_eq!(step(None, 0, 30 * DAY_MS).unwrap(), 130_000);
        assert_eq!(step(Some(30_000), 0, 30 * DAY_MS).unwrap(), 30_000);
        for wrong in [0, -5, 999, 20_000] {
            let error = step(Some(wrong), 0, 30 * DAY_MS).unwrap_err();
            assert!(error.message.contains("25920 ms"), "{}", error.message);
        }
    }
}

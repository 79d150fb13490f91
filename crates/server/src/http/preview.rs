//! What a silence or a window would hide, before it does.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use barograph_alerts::document::{self, Problem};
use barograph_alerts::machine::{Phase, Texts};
use barograph_alerts::matchers::Matchers;
use barograph_alerts::mute::{Silence, Window};
use serde::Serialize;

use crate::app::Context;
use crate::documents::{SILENCES, WINDOWS};

use super::documents::text_of;
use super::error::ApiError;

const MAX_LISTED: usize = 500;
/// Openings of a window that are told.
const MAX_STRETCHES: usize = 5;

#[derive(Debug, Serialize)]
pub(crate) struct PreviewAnswer {
    /// Alerts that are pending or fire now and match.
    alerts: Vec<AlertAnswer>,
    /// How many alerts there are now in all.
    of: usize,
    /// When it hides, the next times first.
    times: Vec<TimesAnswer>,
}

#[derive(Debug, Serialize)]
struct AlertAnswer {
    labels: Texts,
    phase: Phase,
    value: f64,
}

#[derive(Debug, Serialize)]
struct TimesAnswer {
    from_ms: i64,
    to_ms: i64,
}

/// `POST /api/documents/KIND/NAME/preview`: the body is the text of a silence or a window.
pub(crate) async fn preview(
    State(context): State<Context>,
    Path((kind, _)): Path<(String, String)>,
    body: Body,
) -> Result<Json<PreviewAnswer>, ApiError> {
    let text = text_of(&context, body).await?;
    let wrong = |problem: Problem| ApiError::over_limit("invalid_document", problem.to_string());
    let (matchers, times) = match kind.as_str() {
        SILENCES => {
            let silence: Silence = document::read(&text).map_err(wrong)?;
            let times = TimesAnswer { from_ms: silence.from_ms, to_ms: silence.to_ms };
            (silence.matchers, vec![times])
        }
        WINDOWS => {
            let window: Window = document::read(&text).map_err(wrong)?;
            let times = stretches(&window, context.clock.now_ms());
            (window.matchers, times)
        }
        _ => {
            let message = "only silences and windows hide alerts";
            return Err(ApiError::not_found("no_preview", message));
        }
    };
    Ok(Json(answer(&context, &matchers, times)))
}

fn stretches(window: &Window, now_ms: i64) -> Vec<TimesAnswer> {
    let open = window.schedule.stretch_at(now_ms);
    let next = |(from_ms, _): &(i64, i64)| window.schedule.next_after(*from_ms);
    let coming = std::iter::successors(window.schedule.next_after(now_ms), next);
    let all = open.into_iter().chain(coming).take(MAX_STRETCHES);
    all.map(|(from_ms, to_ms)| TimesAnswer { from_ms, to_ms }).collect()
}

fn answer(context: &Context, matchers: &Matchers, times: Vec<TimesAnswer>) -> PreviewAnswer {
    let mut alerts = context.alerting.alerts();
    alerts.retain(|report| report.alert.is_active());
    let of = alerts.len();
    let hidden = alerts.into_iter().filter(|it| matchers.matches(&it.alert.labels));
    let hidden = hidden.take(MAX_LISTED).map(|it| AlertAnswer {
        labels: it.alert.labels,
        phase: it.alert.phase,
        value: it.alert.value,
    });
    PreviewAnswer { alerts: hidden.collect(), of, times }
}

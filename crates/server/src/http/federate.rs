//! Pages that other servers scrape: the newest samples of the store, and everything of this host.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use barograph_model::{Labels, METRIC_NAME, Matcher, is_stale};
use barograph_store::Limits;
use barograph_wire::MetricType;
use barograph_wire::text::{Accept, PageWriter};

use crate::app::{App, Context};
use crate::host_page::{self, Names};

use super::error::ApiError;
use super::range::histories_permit;
use super::waiting::wait;

/// A series without a sample for this long has no current value, as in Prometheus.
const LOOKBACK_MS: i64 = 5 * 60 * 1000;
const MAX_SELECTORS: usize = 100;
/// The label that whoever scrapes gives to what has none.
const INSTANCE: &str = "instance";

pub(crate) async fn federate(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let selectors = selectors(text.as_deref().unwrap_or_default())?;
    let accept = accept(&headers);
    let permit = histories_permit(&context).await?;
    let read = move || {
        let _permit = permit;
        newest(&context, &selectors, accept)
    };
    wait("reading the samples", read).await?.map(answer)
}

pub(crate) async fn host(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut names = Names::Own;
    for (name, value) in pairs(text.as_deref().unwrap_or_default())? {
        if name != "names" {
            let name: String = name.chars().take(40).collect();
            return Err(bad(&format!("there is no parameter `{name}`; allowed is names")));
        }
        names = Names::parse(&value)
            .ok_or_else(|| bad(&format!("`names` is {}, or left out", Names::ALLOWED)))?;
    }
    Ok(answer(host_page::page(&context, accept(&headers), names)))
}

fn answer((page, content_type): (String, String)) -> Response {
    ([(header::CONTENT_TYPE, content_type)], page).into_response()
}

fn accept(headers: &HeaderMap) -> Accept {
    let header = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    Accept::choose(header.unwrap_or_default())
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, ApiError> {
    serde_urlencoded::from_str(text)
        .map_err(|_| bad("the parameters are not in the form `name=value&…`"))
}

fn bad(message: &str) -> ApiError {
    ApiError::bad_request("bad_parameter", message)
}

fn selectors(text: &str) -> Result<Vec<Vec<Matcher>>, ApiError> {
    let given: Vec<_> = pairs(text)?.into_iter().filter(|(name, _)| name == "match[]").collect();
    if given.is_empty() {
        return Err(bad(
            "`match[]` is missing: say which series, such as `match[]={job=\"node\"}`",
        ));
    }
    if given.len() > MAX_SELECTORS {
        return Err(bad("`match[]` can be given 100 times at most"));
    }
    let parse = |(_, selector): (String, String)| {
        barograph_promql::parse_selector(&selector)
            .map_err(|error| bad(&format!("`match[]` is no selector: {error}")))
    };
    given.into_iter().map(parse).collect()
}

fn newest(
    app: &App,
    selectors: &[Vec<Matcher>],
    accept: Accept,
) -> Result<(String, String), ApiError> {
    let now_ms = app.clock.now_ms();
    let mut samples: Vec<(Labels, i64, f64)> = Vec::new();
    for matchers in selectors {
        let found = app
            .store
            .select(matchers, now_ms - LOOKBACK_MS, now_ms, &Limits::default())
            .map_err(|error| ApiError::over_limit("too_much", barograph_model::chain(&error)))?;
        samples.extend(found.data.into_iter().filter_map(|series| {
            let (time, value) = (*series.times.last()?, *series.values.last()?);
            (!is_stale(value)).then_some((series.labels, time, value))
        }));
    }
    samples.sort_by(|a, b| a.0.cmp(&b.0));
    samples.dedup_by(|a, b| a.0 == b.0);
    let mut writer = PageWriter::new(accept).keeping_empty_labels();
    let mut metric = "";
    for (labels, time_ms, value) in &samples {
        if metric != labels.name() {
            metric = labels.name();
            writer.metric(metric, MetricType::Unknown, "");
        }
        // As Prometheus does: who scrapes this page would call the series its own otherwise.
        let unset = labels.get(INSTANCE).is_none().then_some((INSTANCE, ""));
        let labels = labels.iter().filter(|(name, _)| *name != METRIC_NAME).chain(unset);
        writer.sample(metric, labels, *value, Some(*time_ms));
    }
    Ok(writer.finish())
}

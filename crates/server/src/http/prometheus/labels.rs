//! Which series, labels and values there are.

use std::sync::atomic::AtomicBool;

use axum::extract::{Path, State};
use axum::response::Response;
use barograph_model::{Matcher, Selection, SeriesSource, SourceError};

use super::error::{ErrorKind, Refused};
use super::params::Params;
use super::respond;
use super::selectors::{SelectorError, selectors};
use super::text::{push_labels, push_strings};
use crate::app::Context;

const TRUNCATED: &str = "results truncated due to limit";

/// What is asked for: series of any of the selectors, in a range.
struct Asked {
    selectors: Vec<Vec<Matcher>>,
    from_ms: i64,
    to_ms: i64,
    limit: Option<usize>,
    max_series: usize,
}

impl Asked {
    fn new(
        context: &Context,
        params: &Params,
        refuse: impl FnOnce(&SelectorError) -> Refused,
    ) -> Result<Self, Refused> {
        let from_ms = params.named_time("start")?.unwrap_or(i64::MIN / 4);
        let to_ms = params.named_time("end")?.unwrap_or(i64::MAX / 4);
        let selectors = selectors(params).map_err(|error| refuse(&error))?;
        if to_ms < from_ms {
            return Err(Refused::parameter("end", "end timestamp must not be before start time"));
        }
        let limit = params.limit("limit")?;
        let max_series = context.queries.settings().max_series;
        Ok(Self { selectors, from_ms, to_ms, limit, max_series })
    }

    /// Asks once for each selector, or for all series where there is none.
    fn each<T: Ord>(
        &self,
        cancel: &AtomicBool,
        mut ask: impl FnMut(&Selection<'_>) -> Result<Vec<T>, SourceError>,
    ) -> Result<Vec<T>, SourceError> {
        let everything = [Vec::new()];
        let selectors = if self.selectors.is_empty() { &everything[..] } else { &self.selectors };
        let mut found = Vec::new();
        for matchers in selectors {
            found.extend(ask(&Selection {
                matchers,
                from_ms: self.from_ms,
                to_ms: self.to_ms,
                windows: None,
                max_series: self.max_series,
                max_samples: usize::MAX,
                cancel: Some(cancel),
            })?);
        }
        // Merges what is in order already, as the answer to one selector is.
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn warnings(&self, found: usize) -> Vec<String> {
        let is_cut = self.limit.is_some_and(|limit| found > limit);
        if is_cut { vec![TRUNCATED.to_owned()] } else { Vec::new() }
    }

    fn shown(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }
}

pub(super) async fn series(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    if params.all("match[]").next().is_none() {
        return Err(Refused::new(ErrorKind::BadData, "no match[] parameter provided"));
    }
    let refuse = |error: &SelectorError| Refused::parameter("match[]", error);
    let asked = Asked::new(&context, &params, refuse)?;
    let queries = context.queries.clone();
    queries
        .run(move |cancel| {
            let found = asked.each(cancel, |selection| {
                Ok(SeriesSource::select(context.store.as_ref(), selection)?.labels().to_vec())
            })?;
            let mut data = String::from("[");
            for (place, labels) in found.iter().take(asked.shown()).enumerate() {
                if place > 0 {
                    data.push(',');
                }
                push_labels(&mut data, labels);
            }
            data.push(']');
            Ok(respond::success(&data, &asked.warnings(found.len()), &[]))
        })
        .await?
}

pub(super) async fn names(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let asked = Asked::new(&context, &params, unnamed)?;
    let queries = context.queries.clone();
    queries
        .run(move |cancel| {
            let found = asked.each(cancel, |selection| {
                SeriesSource::label_names(context.store.as_ref(), selection)
            })?;
            Ok(strings(&asked, &found))
        })
        .await?
}

pub(super) async fn values(
    State(context): State<Context>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Refused> {
    let label = unescaped(&name);
    if label.is_empty() {
        return Err(Refused::new(ErrorKind::BadData, format!("invalid label name: {name:?}")));
    }
    let asked = Asked::new(&context, &params, unnamed)?;
    let queries = context.queries.clone();
    queries
        .run(move |cancel| {
            let found = asked.each(cancel, |selection| {
                SeriesSource::label_values(context.store.as_ref(), &label, selection)
            })?;
            Ok(strings(&asked, &found))
        })
        .await?
}

/// Prometheus names the parameter in refusals of `series` only.
fn unnamed(error: &SelectorError) -> Refused {
    Refused::new(ErrorKind::BadData, error.to_string())
}

fn strings(asked: &Asked, found: &[String]) -> Response {
    let mut data = String::new();
    push_strings(&mut data, found.iter().take(asked.shown()).map(String::as_str));
    respond::success(&data, &asked.warnings(found.len()), &[])
}

/// A label's name as addresses write it: `U__` before a name whose odd characters are `_2e_`.
/// <https://prometheus.io/docs/instrumenting/escaping_schemes/>
fn unescaped(name: &str) -> String {
    let Some(escaped) = name.strip_prefix("U__") else { return name.to_owned() };
    let mut label = String::new();
    let mut rest = escaped;
    while let Some((plain, behind)) = rest.split_once('_') {
        label.push_str(plain);
        let Some((code, behind)) = behind.split_once('_') else { return name.to_owned() };
        if code.is_empty() {
            label.push('_');
        } else {
            match u32::from_str_radix(code, 16).ok().and_then(char::from_u32) {
                Some(c) => label.push(c),
                None => return name.to_owned(),
            }
        }
        rest = behind;
    }
    label.push_str(rest);
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_read() {
        assert_eq!(unescaped("job"), "job");
        assert_eq!(unescaped("U__my_2e_label__x"), "my.label_x");
        assert_eq!(unescaped("U__bad_zz_"), "U__bad_zz_");
    }
}

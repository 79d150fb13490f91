//! What is said beside an answer, in Prometheus' words.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use tracing_mutex::stdsync::{Mutex, MutexGuard};

use crate::Query;
use crate::ast::Span;
use crate::dates::rfc3339;
use crate::quote::quoted;

/// Collects warnings and infos, each once; shared by the threads of an evaluation.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: Mutex<BTreeMap<(usize, Note), Option<Repair>>>,
}

/// What can be said about a part of an expression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Note {
    Warning(String),
    Info(String),
    /// What the source says, as it says it.
    Plain(String),
    /// Buckets of this metric were not cumulative.
    NotMonotonic(String),
}

/// How much had to be repaired to make buckets cumulative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Repair {
    pub first_ms: i64,
    pub last_ms: i64,
    pub min_bucket: f64,
    pub max_bucket: f64,
    pub max_diff: f64,
    pub samples: u64,
}

impl Repair {
    fn and(self, other: Self) -> Self {
        Self {
            first_ms: self.first_ms.min(other.first_ms),
            last_ms: self.last_ms.max(other.last_ms),
            min_bucket: self.min_bucket.min(other.min_bucket),
            max_bucket: self.max_bucket.max(other.max_bucket),
            max_diff: self.max_diff.max(other.max_diff),
            samples: self.samples + other.samples,
        }
    }
}

impl Notes {
    /// Says something about the part that starts here in the text.
    pub(crate) fn add(&self, part: usize, note: Note) {
        self.lock().entry((part, note)).or_insert(None);
    }

    pub(crate) fn warn(&self, part: usize, text: impl Into<String>) {
        self.add(part, Note::Warning(text.into()));
    }

    /// Says that a metric does not look like a counter where one is wanted.
    pub(crate) fn no_counter(&self, part: usize, metric: &str) {
        let text = format!(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
            quoted(metric)
        );
        self.add(part, Note::Info(text));
    }

    pub(crate) fn repaired(&self, part: usize, metric: &str, repair: Repair) {
        self.lock()
            .entry((part, Note::NotMonotonic(metric.to_owned())))
            .and_modify(|known| *known = known.map(|known| known.and(repair)))
            .or_insert(Some(repair));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(usize, Note), Option<Repair>>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The warnings and the infos, with their places in the query's text.
    pub(crate) fn worded(self, query: &Query) -> (Vec<String>, Vec<String>) {
        let notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut warnings, mut infos) = (Vec::new(), Vec::new());
        if notes.is_empty() {
            return (warnings, infos);
        }
        for ((part, note), repair) in notes {
            let place = format!(" ({})", query.position(Span { start: part, end: part }));
            match note {
                Note::Warning(text) => warnings.push(format!("PromQL warning: {text}{place}")),
                Note::Plain(text) => warnings.push(text),
                Note::Info(text) => infos.push(format!("PromQL info: {text}{place}")),
                Note::NotMonotonic(metric) => {
                    let text = not_monotonic(&metric, repair);
                    infos.push(format!("PromQL info: {text}{place}"));
                }
            }
        }
        (warnings, infos)
    }
}

fn not_monotonic(metric: &str, repair: Option<Repair>) -> String {
    let metric = match metric {
        "" => String::new(),
        metric => format!(" for metric name {}", quoted(metric)),
    };
    let repair = repair.map_or_else(String::new, |repair| {
        let Repair { first_ms, last_ms, min_bucket, max_bucket, max_diff, samples } = repair;
        let (min_bucket, max_bucket) = (go_g(min_bucket), go_g(max_bucket));
        let (max_diff, first, last) = (go_g(max_diff), rfc3339(first_ms), rfc3339(last_ms));
        format!(
            ", from buckets {min_bucket} to {max_bucket}, with a max diff of {max_diff}, over \
             {samples} samples from {first} to {last}"
        )
    });
    format!(
        "input to histogram_quantile needed to be fixed for monotonicity (see \
         https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)\
         {metric}{repair}"
    )
}

/// A number as Go's `%g` writes it.
pub(crate) fn go_g(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if (-4..21).contains(&exponent) => format!("{value}"),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        Err(_) => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_does() {
        assert_eq!(go_g(2.5), "2.5");
        assert_eq!(go_g(f64::NAN), "NaN");
        assert_eq!(go_g(f64::INFINITY), "+Inf");
        assert_eq!(go_g(1e21), "1e+21");
        assert_eq!(go_g(1.5e-7), "1.5e-07");
    }
}

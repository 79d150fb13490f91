//! All metrics of a program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::MetricError;
use crate::metric::{Counter, Gauge, Histogram};

/// Series of a registry, unless its maker says otherwise: a program that means well has tens.
const DEFAULT_LIMIT: usize = 1000;
/// A histogram with more is asked to be an exponential one elsewhere.
const MAX_BOUNDS: usize = 100;
/// As long as the server takes them.
const MAX_VALUE_BYTES: usize = 4096;
/// Counts what did not fit; always there, so that its rate is never missing.
pub(crate) const REFUSED: &str = "client_refused_series_total";

pub(crate) type LabelPairs = Vec<(String, String)>;

/// Makes metrics and lists them. Clones are the same registry.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    families: Mutex<Families>,
    refused: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Families {
    pub(crate) by_name: BTreeMap<String, Family>,
    series: usize,
}

/// Series of one name.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) series: BTreeMap<LabelPairs, Metric>,
}

#[derive(Debug, Clone)]
pub(crate) enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Metric {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }

    /// Series that it becomes.
    fn size(&self) -> usize {
        match self {
            Self::Counter(_) | Self::Gauge(_) => 1,
            // The bucket of everything, count and sum.
            Self::Histogram(histogram) => histogram.0.bounds.len() + 3,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Counter(_), Self::Counter(_)) | (Self::Gauge(_), Self::Gauge(_)) => true,
            (Self::Histogram(one), Self::Histogram(other)) => one.0.bounds == other.0.bounds,
            _ => false,
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// For up to 1,000 series.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// For so many series; a histogram is one for each bound, and three.
    pub fn with_limit(limit: usize) -> Self {
        let families = Mutex::default();
        Self(Arc::new(Inner { limit, families, refused: Counter::default() }))
    }

    /// The counter of this name with these labels; the one that is there already, if there is.
    /// Names of counters end in `_total`.
    ///
    /// # Errors
    /// What is wrong with its name or labels, or that there is no room for it.
    pub fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Result<Counter, MetricError> {
        match self.metric(name, help, labels, Metric::Counter(Counter::default()))? {
            Metric::Counter(counter) => Ok(counter),
            _ => Err(MetricError::Kind(name.to_owned())),
        }
    }

    /// The gauge of this name with these labels; the one that is there already, if there is.
    ///
    /// # Errors
    /// What is wrong with its name or labels, or that there is no room for it.
    pub fn gauge(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Result<Gauge, MetricError> {
        match self.metric(name, help, labels, Metric::Gauge(Gauge::default()))? {
            Metric::Gauge(gauge) => Ok(gauge),
            _ => Err(MetricError::Kind(name.to_owned())),
        }
    }

    /// The histogram of this name with these labels; the one that is there already, if there is.
    /// `bounds` are the upper bounds of its buckets, in growing order; that of everything is added.
    ///
    /// # Errors
    /// What is wrong with its name, labels or bounds, or that there is no room for it.
    pub fn histogram(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Result<Histogram, MetricError> {
        let grows = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        let count_fits = (1..=MAX_BOUNDS).contains(&bounds.len());
        if !grows || !count_fits || !bounds.iter().all(|bound| bound.is_finite()) {
            return Err(MetricError::Bounds(name.to_owned()));
        }
        match self.metric(name, help, labels, Metric::Histogram(Histogram::new(bounds)))? {
            Metric::Histogram(histogram) => Ok(histogram),
            _ => Err(MetricError::Kind(name.to_owned())),
        }
    }

    /// How many series found no room.
    pub fn refused(&self) -> f64 {
        self.0.refused.value()
    }

    pub(crate) fn families(&self) -> MutexGuard<'_, Families> {
        // A map that a panic left behind is still a map.
        self.0.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn metric(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        new: Metric,
    ) -> Result<Metric, MetricError> {
        if !is_name(name, true) || name == REFUSED {
            return Err(MetricError::Name(name.to_owned()));
        }
        let labels = checked(name, labels)?;
        let mut families = self.families();
        if let Some(family) = families.by_name.get(name) {
            if !family.series.values().next().is_none_or(|other| other.is_like(&new)) {
                return Err(MetricError::Kind(name.to_owned()));
            }
            if let Some(there) = family.series.get(&labels) {
                return Ok(there.clone());
            }
        } else {
            families.check_name(name, &new)?;
        }
        let (size, limit) = (new.size(), self.0.limit);
        if families.series + size > limit {
            self.0.refused.add(size as f64);
            return Err(MetricError::TooMany { metric: name.to_owned(), limit });
        }
        families.series += size;
        let family = families
            .by_name
            .entry(name.to_owned())
            .or_insert_with(|| Family { help: help.to_owned(), series: BTreeMap::new() });
        family.series.insert(labels, new.clone());
        Ok(new)
    }
}

/// What the series of a histogram have behind its name.
const PARTS: [&str; 3] = ["_bucket", "_count", "_sum"];

impl Families {
    /// No two metrics may write series of one name.
    fn check_name(&self, name: &str, new: &Metric) -> Result<(), MetricError> {
        let taken =
            |by: &str| Err(MetricError::Taken { metric: name.to_owned(), by: by.to_owned() });
        for part in PARTS {
            let owner = name.strip_suffix(part).and_then(|base| self.by_name.get_key_value(base));
            if let Some((base, family)) = owner
                && family.series.values().any(|one| matches!(one, Metric::Histogram(_)))
            {
                return taken(base);
            }
            let series = format!("{name}{part}");
            if matches!(new, Metric::Histogram(_)) && self.by_name.contains_key(&series) {
                return taken(&series);
            }
        }
        Ok(())
    }
}

fn checked(metric: &str, labels: &[(&str, &str)]) -> Result<LabelPairs, MetricError> {
    let mut pairs = LabelPairs::new();
    for (label, value) in labels {
        let (metric, owned) = (metric.to_owned(), (*label).to_owned());
        if !is_name(label, false) || label.starts_with("__") || *label == "le" {
            return Err(MetricError::Label { metric, label: owned });
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(MetricError::Value { metric, label: owned, limit: MAX_VALUE_BYTES });
        }
        if pairs.iter().any(|(other, _)| other == label) {
            return Err(MetricError::Twice { metric, label: owned });
        }
        // An empty value is no label.
        if !value.is_empty() {
            pairs.push((owned, (*value).to_owned()));
        }
    }
    pairs.sort();
    Ok(pairs)
}

fn is_name(name: &str, with_colon: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (with_colon && c == ':');
    name.chars().all(fits) && name.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums of few small numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_and_labels_are_the_same_metric() {
        let registry = Registry::new();
        registry.counter("a_total", "A.", &[("x", "1"), ("y", "2")]).unwrap().increment();
        let again = registry.counter("a_total", "A.", &[("y", "2"), ("x", "1"), ("z", "")]);
        assert_eq!(again.unwrap().value(), 1.0);
        assert_eq!(registry.families().series, 1);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let registry = Registry::with_limit(7);
        registry.gauge("g", "", &[]).unwrap();
        registry.histogram("h", "", &[], &[1.0]).unwrap();
        let gauge = |name: &str, labels: &[(&str, &str)]| {
            registry.gauge(name, "", labels).unwrap_err().to_string()
        };
        for (said, expected) in [
            (
                gauge("", &[]),
                "`` is no name of a metric: letters, digits, `_` and `:`, no digit first",
            ),
            (
                gauge("1st", &[]),
                "`1st` is no name of a metric: letters, digits, `_` and `:`, no digit first",
            ),
            (
                gauge("x", &[("le", "1")]),
                "x: `le` is no name of a label: letters, digits and `_`, no digit first, no `__` in front, not `le`",
            ),
            (gauge("x", &[("a", "1"), ("a", "2")]), "x: the label `a` is there twice"),
            (
                gauge("x", &[("a", &"v".repeat(4097))]),
                "x: the value of `a` has more than 4096 bytes",
            ),
            (gauge("h", &[]), "h is there already, of another kind or with other bounds"),
            (gauge("h_sum", &[]), "h_sum would have the name of a series of h"),
        ] {
            assert_eq!(said, expected);
        }
        for bounds in [&[][..], &[2.0, 1.0], &[1.0, f64::INFINITY], &[f64::NAN], &[0.0; 101]] {
            let refused = registry.histogram("b", "", &[], bounds).unwrap_err();
            assert_eq!(refused, MetricError::Bounds("b".to_owned()));
        }
        let other = registry.histogram("h", "", &[("a", "b")], &[2.0]).unwrap_err();
        assert_eq!(other, MetricError::Kind("h".to_owned()));
    }

    #[test]
    fn past_the_limit_new_series_are_refused_and_known_ones_kept() {
        let registry = Registry::with_limit(5);
        let kept = registry.gauge("g", "", &[]).unwrap();
        // Four series: a bucket, that of everything, count and sum.
        registry.histogram("h", "", &[], &[1.0]).unwrap();
        let refused = registry.gauge("g", "", &[("user", "eve")]).unwrap_err();
        assert_eq!(refused, MetricError::TooMany { metric: "g".to_owned(), limit: 5 });
        kept.set(2.0);
        assert_eq!(registry.gauge("g", "", &[]).unwrap().value(), 2.0);
        assert_eq!(registry.refused(), 1.0);
    }
}

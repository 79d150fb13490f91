//! Lines of metadata, and what they allow of the samples below them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::cursor::{At, Cursor, unescape};
use super::{Metadata, Problem};
use crate::MetricType;

/// The metric that the newest metadata speaks of. OpenMetrics only.
#[derive(Debug, Default)]
pub(super) struct Family<'a> {
    name: Cow<'a, str>,
    metric_type: Option<MetricType>,
    has_help: bool,
    has_unit: bool,
    has_samples: bool,
    seen: HashSet<Cow<'a, str>>,
}

const TYPES: [(&str, MetricType); 8] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("summary", MetricType::Summary),
    ("untyped", MetricType::Unknown),
    ("gaugehistogram", MetricType::GaugeHistogram),
    ("info", MetricType::Info),
    ("stateset", MetricType::StateSet),
];

/// Prometheus' format knows the first five.
const CLASSIC_TYPES: usize = 5;

/// A line of Prometheus' format that starts with `#`. What is no metadata is a comment.
pub(super) fn classic(line: &str) -> At<Option<Metadata<'_>>> {
    let mut cursor = Cursor::new(line);
    cursor.take(b'#');
    cursor.skip_blanks();
    let word = cursor.word();
    let is_word = cursor.peek().is_some() && matches!(word, "HELP" | "TYPE");
    // `#HELP` is a comment.
    if !is_word || !matches!(line.as_bytes().get(1), Some(b' ' | b'\t')) {
        return Ok(None);
    }
    cursor.skip_blanks();
    let metric = metric_name(&mut cursor)?;
    if cursor.peek().is_some() && !matches!(cursor.peek(), Some(b' ' | b'\t')) {
        return cursor.expected("a space after the metric name");
    }
    cursor.skip_blanks();
    if word == "HELP" {
        return Ok(Some(Metadata::Help { metric, help: text(cursor.rest(), false) }));
    }
    let known = TYPES.iter().take(CLASSIC_TYPES);
    let found = known.into_iter().find(|(name, _)| *name == cursor.rest().trim_end());
    match found {
        Some((_, metric_type)) => Ok(Some(Metadata::Type { metric, metric_type: *metric_type })),
        None => cursor.expected("counter, gauge, histogram, summary or untyped"),
    }
}

fn metric_name<'a>(cursor: &mut Cursor<'a>) -> At<Cow<'a, str>> {
    let before = *cursor;
    let name = if cursor.peek() == Some(b'"') {
        cursor.quoted("a metric name")?
    } else {
        Cow::Borrowed(cursor.metric_name())
    };
    if name.is_empty() { before.expected("a metric name") } else { Ok(name) }
}

fn text(raw: &str, quotes: bool) -> Cow<'_, str> {
    if raw.contains('\\') { Cow::Owned(unescape(raw, quotes)) } else { Cow::Borrowed(raw) }
}

impl<'a> Family<'a> {
    /// A line of OpenMetrics that starts with `#`, but for `# EOF`.
    pub(super) fn open_metrics(&mut self, line: &'a str) -> At<Metadata<'a>> {
        const KINDS: &str = "`# HELP `, `# TYPE `, `# UNIT ` or `# EOF`";
        let mut cursor = Cursor::new(line);
        let Some(kind) = ["HELP", "TYPE", "UNIT"]
            .into_iter()
            .find(|kind| line.get(2..6) == Some(kind) && line.starts_with("# "))
        else {
            return cursor.expected(KINDS);
        };
        if !cursor.take_word(&format!("# {kind} ")) {
            return cursor.expected(KINDS);
        }
        let metric = metric_name(&mut cursor)?;
        cursor.require(b' ', "a space after the metric name")?;
        self.turn_to(metric.clone()).map_err(|problem| (1, problem))?;
        let place = cursor.at() + 1;
        let rest = cursor.rest();
        let again = |what| (1, Problem::Repeated { metric: metric.clone().into_owned(), what });
        match kind {
            "HELP" if std::mem::replace(&mut self.has_help, true) => Err(again("help")),
            "HELP" => Ok(Metadata::Help { metric, help: text(rest, true) }),
            "UNIT" if std::mem::replace(&mut self.has_unit, true) => Err(again("unit")),
            "UNIT" => match unit_fits(&metric, rest) {
                Ok(()) => Ok(Metadata::Unit { metric, unit: rest }),
                Err(problem) => Err((place, problem)),
            },
            _ if self.metric_type.is_some() => Err(again("type")),
            _ => {
                let metric_type = open_metrics_type(rest)
                    .ok_or_else(|| (place, Problem::expected("a metric type", rest)))?;
                self.metric_type = Some(metric_type);
                Ok(Metadata::Type { metric, metric_type })
            }
        }
    }

    /// Metadata stands together and before the samples.
    fn turn_to(&mut self, metric: Cow<'a, str>) -> Result<(), Problem> {
        let is_other = self.name != metric;
        if self.has_samples && !is_other || is_other && self.seen.contains(&metric) {
            return Err(Problem::Repeated { metric: metric.into_owned(), what: "metadata" });
        }
        if is_other {
            self.seen.insert(metric.clone());
            let seen = std::mem::take(&mut self.seen);
            *self = Self { name: metric, seen, ..Self::default() };
        }
        Ok(())
    }

    /// Whether a sample may stand here, as far as its metric's type goes.
    pub(super) fn allows(&mut self, name: &str, value: f64, exemplar: bool) -> Result<(), Problem> {
        let suffix = name.strip_prefix(&*self.name).filter(|_| !self.name.is_empty());
        self.has_samples |= suffix.is_some();
        let is_bucket = name.ends_with("_bucket");
        if exemplar && !is_bucket && !name.ends_with("_total") {
            return Err(Problem::ExemplarPlace);
        }
        let (Some(metric_type), Some(suffix)) = (self.metric_type, suffix) else { return Ok(()) };
        let never_negative = value >= 0.0;
        let (allowed, is_allowed) = match (metric_type, suffix) {
            (MetricType::Counter, "_total")
            | (MetricType::Histogram, "_bucket" | "_count")
            | (MetricType::GaugeHistogram, "_bucket" | "_gcount")
            | (MetricType::Summary, "_count") => ("0 or more", never_negative),
            (MetricType::Info, "_info") => ("1", value.total_cmp(&1.0).is_eq()),
            (MetricType::StateSet, "") => ("0 or 1", value == 0.0 || value.total_cmp(&1.0).is_eq()),
            _ => return Ok(()),
        };
        if is_allowed {
            Ok(())
        } else {
            Err(Problem::Value { metric_type: metric_type.as_str(), allowed })
        }
    }
}

/// OpenMetrics says `unknown` where Prometheus says `untyped`.
fn open_metrics_type(word: &str) -> Option<MetricType> {
    match word {
        "unknown" => Some(MetricType::Unknown),
        "untyped" => None,
        _ => TYPES.iter().find(|(name, _)| *name == word).map(|(_, metric_type)| *metric_type),
    }
}

fn unit_fits(metric: &str, unit: &str) -> Result<(), Problem> {
    let fits = match metric.strip_suffix(unit) {
        _ if unit.is_empty() => true,
        // A name in quotes may have its unit after any character that is not part of a word.
        Some(before) => before.ends_with(|c: char| !c.is_ascii_alphanumeric()),
        None => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Problem::Unit { metric: metric.to_owned(), unit: unit.to_owned() })
    }
}

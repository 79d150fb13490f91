//! Lines of metadata.

use std::borrow::Cow;

use super::cursor::{At, Cursor, unescape};
use super::{Metadata, Problem};
use crate::MetricType;

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

/// A line of OpenMetrics that starts with `#`, but for `# EOF`.
pub(super) fn open_metrics(line: &str) -> At<Metadata<'_>> {
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
    let place = cursor.at() + 1;
    let rest = cursor.rest();
    match kind {
        "HELP" => Ok(Metadata::Help { metric, help: text(rest, true) }),
        "UNIT" => match unit_fits(&metric, rest) {
            Ok(()) => Ok(Metadata::Unit { metric, unit: rest }),
            Err(problem) => Err((place, problem)),
        },
        _ => match open_metrics_type(rest) {
            Some(metric_type) => Ok(Metadata::Type { metric, metric_type }),
            None => Err((place, Problem::expected("a metric type", rest))),
        },
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

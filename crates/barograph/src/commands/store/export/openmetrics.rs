//! OpenMetrics text with timestamps: metric by metric, series by series, oldest first.
//!
//! That order is not the store's, so samples are gathered in memory: of as many metrics as fit, of
//! one metric, or of one series, whatever stays below the bound.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use barograph_model::{Labels, METRIC_NAME, MatchOp, Matcher};

use super::Wanted;

/// Samples in memory, 16 bytes each.
const MAX_GATHERED: usize = 8 * 1024 * 1024;
/// Metrics in one regular expression.
const MAX_NAMES: usize = 512;

pub(super) fn write(wanted: &mut Wanted<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut by_name: BTreeMap<String, Vec<Labels>> = BTreeMap::new();
    for labels in wanted.series()? {
        by_name.entry(labels.name().to_owned()).or_default().push(labels);
    }
    let metrics: Vec<(String, Vec<Labels>)> = by_name.into_iter().collect();
    for group in metrics.chunks(MAX_NAMES) {
        write_metrics(wanted, group, out)?;
    }
    writeln!(out, "# EOF")?;
    Ok(())
}

type Gathered = BTreeMap<Labels, Vec<(i64, f64)>>;

fn write_metrics(
    wanted: &mut Wanted<'_>,
    metrics: &[(String, Vec<Labels>)],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let names: Vec<String> = metrics.iter().map(|(name, _)| escaped(name)).collect();
    let these = Matcher::new(METRIC_NAME, MatchOp::Regex, names.join("|"))?;
    if let Some(gathered) = gather(wanted, &[these])? {
        return put_all(&gathered, out);
    }
    match metrics {
        [(name, series)] => {
            writeln!(out, "# TYPE {} unknown", quoted_name(name))?;
            for labels in series {
                write_series(wanted, labels, out)?;
            }
            Ok(())
        }
        more => {
            let (first, second) = more.split_at(more.len() / 2);
            write_metrics(wanted, first, out)?;
            write_metrics(wanted, second, out)
        }
    }
}

/// One series comes in order of time as it is.
fn write_series(
    wanted: &mut Wanted<'_>,
    labels: &Labels,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let exact: Vec<Matcher> =
        labels.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let text = series_text(labels);
    narrowed(wanted, &exact, |wanted| {
        wanted.each(&mut |piece| {
            // A series with more labels fits, too.
            if piece.labels != labels {
                return Ok(());
            }
            let samples = piece.times.iter().zip(piece.values);
            put(&text, samples.map(|(time, value)| (*time, *value)), out)
        })
    })
}

/// Nothing when there are too many.
fn gather(wanted: &mut Wanted<'_>, these: &[Matcher]) -> anyhow::Result<Option<Gathered>> {
    #[derive(Debug, thiserror::Error)]
    #[error("too many samples")]
    struct TooMany;

    let mut gathered = Gathered::new();
    let mut count = 0;
    let before = wanted.samples;
    let outcome = narrowed(wanted, these, |wanted| {
        wanted.each(&mut |piece| {
            count += piece.times.len();
            if count > MAX_GATHERED {
                return Err(TooMany.into());
            }
            let samples = piece.times.iter().copied().zip(piece.values.iter().copied());
            gathered.entry(piece.labels.clone()).or_default().extend(samples);
            Ok(())
        })
    });
    match outcome {
        Ok(()) => Ok(Some(gathered)),
        Err(error) if error.is::<TooMany>() => {
            wanted.samples = before;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Asks for what else fits these conditions, too.
fn narrowed<T>(
    wanted: &mut Wanted<'_>,
    these: &[Matcher],
    act: impl FnOnce(&mut Wanted<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let before = wanted.selectors.clone();
    for set in &mut wanted.selectors {
        set.extend_from_slice(these);
    }
    let outcome = act(wanted);
    wanted.selectors = before;
    outcome
}

fn put_all(gathered: &Gathered, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut last_name = None;
    for (labels, samples) in gathered {
        if last_name != Some(labels.name()) {
            writeln!(out, "# TYPE {} unknown", quoted_name(labels.name()))?;
            last_name = Some(labels.name());
        }
        put(&series_text(labels), samples.iter().copied(), out)?;
    }
    Ok(())
}

fn put(
    series: &str,
    samples: impl Iterator<Item = (i64, f64)>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for (time_ms, value) in samples {
        let value = if value.is_infinite() {
            if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
        } else {
            value.to_string()
        };
        let (seconds, millis) = (time_ms.div_euclid(1000), time_ms.rem_euclid(1000));
        if millis == 0 {
            writeln!(out, "{series} {value} {seconds}")?;
        } else {
            writeln!(out, "{series} {value} {seconds}.{millis:03}")?;
        }
    }
    Ok(())
}

/// Names beyond the old alphabet stand in quotes and between the braces, as Prometheus 3 has it.
fn series_text(labels: &Labels) -> String {
    let name = labels.name();
    let mut parts = Vec::new();
    if !is_plain(name, true) {
        parts.push(quoted(name));
    }
    for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
        let label = if is_plain(label, false) { label.to_owned() } else { quoted(label) };
        parts.push(format!("{label}={}", quoted(value)));
    }
    let name = if is_plain(name, true) { name } else { "" };
    if parts.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", parts.join(",")) }
}

fn quoted_name(name: &str) -> String {
    if is_plain(name, true) { name.to_owned() } else { quoted(name) }
}

fn is_plain(name: &str, may_have_colon: bool) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || may_have_colon && c == ':')
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => out += "\\\\",
            '"' => out += "\\\"",
            '\n' => out += "\\n",
            // Writing to a string cannot fail.
            c => write!(out, "{c}").unwrap_or_default(),
        }
    }
    out + "\""
}

/// As a regular expression that means itself.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_punctuation() && c != '_' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_letters_are_written_so_that_prometheus_reads_them() {
        let labels = Labels::new([(METRIC_NAME, "a:b"), ("x", "q\"\\\n"), ("y.z", "1")]).unwrap();
        assert_eq!(series_text(&labels), r#"a:b{x="q\"\\\n","y.z"="1"}"#);
        let odd = Labels::new([(METRIC_NAME, "a.b"), ("x", "1")]).unwrap();
        assert_eq!(series_text(&odd), r#"{"a.b",x="1"}"#);
        assert_eq!(series_text(&Labels::metric("up").unwrap()), "up");
        let matcher = Matcher::new("n", MatchOp::Regex, escaped("a.b|(c)-d_e")).unwrap();
        assert!(matcher.matches_value("a.b|(c)-d_e") && !matcher.matches_value("axb"));
    }

    #[test]
    fn values_and_times_are_openmetrics() {
        let mut out = Vec::new();
        let samples = [(1000, 0.1 + 0.2), (1, f64::NAN), (1500, f64::NEG_INFINITY), (2000, 1e300)];
        put("m", samples.into_iter(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected =
            format!("m 0.30000000000000004 1\nm NaN 0.001\nm -Inf 1.500\nm {} 2\n", 1e300_f64);
        assert_eq!(text, expected);
    }
}

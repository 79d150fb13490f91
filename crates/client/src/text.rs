//! Prometheus' text format, and the JSON lines that are pushed.

use std::fmt::{self, Write};

use crate::metric::Histogram;
use crate::registry::{LabelPairs, Metric, REFUSED, Registry};

/// One series with its value.
struct Sample<'a> {
    /// Of the metric; behind it `part`.
    name: &'a str,
    part: &'a str,
    labels: &'a LabelPairs,
    bound: Option<f64>,
    value: f64,
}

impl Registry {
    /// All metrics as a page in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut page = String::new();
        // Writing to a string cannot fail.
        self.write_text(&mut page).unwrap_or_default();
        page
    }

    fn write_text(&self, out: &mut String) -> fmt::Result {
        let families = self.families();
        for (name, family) in &families.by_name {
            let Some(first) = family.series.values().next() else { continue };
            about(out, name, first.kind(), &family.help)?;
            for (labels, metric) in &family.series {
                each_sample(name, labels, metric, |sample| text_line(out, &sample))?;
            }
        }
        about(out, REFUSED, "counter", "Series that found no room in the registry.")?;
        writeln!(out, "{REFUSED} {}", self.refused())
    }

    /// All metrics as JSON lines of one moment. What JSON has no number for is left out.
    pub(crate) fn lines(&self, time_ms: u128) -> String {
        let mut lines = String::new();
        let write = |lines: &mut String| -> fmt::Result {
            let none = LabelPairs::new();
            let families = self.families();
            for (name, family) in &families.by_name {
                for (labels, metric) in &family.series {
                    each_sample(name, labels, metric, |sample| json_line(lines, &sample, time_ms))?;
                }
            }
            let value = self.refused();
            let refused = Sample { name: REFUSED, part: "", labels: &none, bound: None, value };
            json_line(lines, &refused, time_ms)
        };
        // Writing to a string cannot fail.
        write(&mut lines).unwrap_or_default();
        lines
    }
}

fn each_sample<'a>(
    name: &'a str,
    labels: &'a LabelPairs,
    metric: &Metric,
    mut write: impl FnMut(Sample<'_>) -> fmt::Result,
) -> fmt::Result {
    let mut sample = |part, bound, value| write(Sample { name, part, labels, bound, value });
    match metric {
        Metric::Counter(counter) => sample("", None, counter.value()),
        Metric::Gauge(gauge) => sample("", None, gauge.value()),
        Metric::Histogram(Histogram(buckets)) => {
            let totals = buckets.totals();
            let bounds = buckets.bounds.iter().copied().chain([f64::INFINITY]);
            for (bound, total) in bounds.zip(&totals) {
                sample("_bucket", Some(bound), *total as f64)?;
            }
            sample("_sum", None, buckets.sum.get())?;
            sample("_count", None, totals.last().copied().unwrap_or_default() as f64)
        }
    }
}

fn about(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn text_line(out: &mut String, sample: &Sample<'_>) -> fmt::Result {
    write!(out, "{}{}", sample.name, sample.part)?;
    let mut before = '{';
    for (label, value) in sample.labels {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(out, "{before}{label}=\"{value}\"")?;
        before = ',';
    }
    if let Some(bound) = sample.bound {
        write!(out, "{before}le=\"{}\"", Number(bound))?;
        before = ',';
    }
    let end = if before == ',' { "}" } else { "" };
    writeln!(out, "{end} {}", Number(sample.value))
}

fn json_line(out: &mut String, sample: &Sample<'_>, time_ms: u128) -> fmt::Result {
    if !sample.value.is_finite() {
        return Ok(());
    }
    write!(out, "{{\"name\":\"{}{}\",\"labels\":{{", sample.name, sample.part)?;
    let mut before = "";
    for (label, value) in sample.labels {
        write!(out, "{before}\"{label}\":\"")?;
        json_text(out, value)?;
        out.push('"');
        before = ",";
    }
    if let Some(bound) = sample.bound {
        write!(out, "{before}\"le\":\"{}\"", Number(bound))?;
    }
    writeln!(out, "}},\"value\":{:?},\"timestamp\":{time_ms}}}", sample.value)
}

fn json_text(out: &mut String, text: &str) -> fmt::Result {
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    Ok(())
}

/// A number as Prometheus writes it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn registry() -> Registry {
        let registry = Registry::new();
        registry.counter("a_total", "A \\ b\nc.", &[("x", "q\"\\\n")]).unwrap().add(2.0);
        registry.gauge("b", "B.", &[]).unwrap().set(f64::NEG_INFINITY);
        let histogram = registry.histogram("c_seconds", "C.", &[("k", "v")], &[0.5, 1.0]).unwrap();
        histogram.observe(0.5);
        histogram.observe(3.0);
        registry
    }

    #[test]
    fn the_page_is_in_prometheus_format() {
        assert_eq!(
            registry().text(),
            "# HELP a_total A \\\\ b\\nc.\n# TYPE a_total counter\na_total{x=\"q\\\"\\\\\\n\"} 2\n\
             # HELP b B.\n# TYPE b gauge\nb -Inf\n\
             # HELP c_seconds C.\n# TYPE c_seconds histogram\n\
             c_seconds_bucket{k=\"v\",le=\"0.5\"} 1\nc_seconds_bucket{k=\"v\",le=\"1\"} 1\n\
             c_seconds_bucket{k=\"v\",le=\"+Inf\"} 2\n\
             c_seconds_sum{k=\"v\"} 3.5\nc_seconds_count{k=\"v\"} 2\n\
             # HELP client_refused_series_total Series that found no room in the registry.\n\
             # TYPE client_refused_series_total counter\nclient_refused_series_total 0\n"
        );
    }

    #[test]
    fn the_lines_are_json_and_leave_out_what_is_no_number() {
        assert_eq!(
            registry().lines(7),
            "{\"name\":\"a_total\",\"labels\":{\"x\":\"q\\\"\\\\\\u000a\"},\"value\":2.0,\"timestamp\":7}\n\
             {\"name\":\"c_seconds_bucket\",\"labels\":{\"k\":\"v\",\"le\":\"0.5\"},\"value\":1.0,\"timestamp\":7}\n\
             {\"name\":\"c_seconds_bucket\",\"labels\":{\"k\":\"v\",\"le\":\"1\"},\"value\":1.0,\"timestamp\":7}\n\
             {\"name\":\"c_seconds_bucket\",\"labels\":{\"k\":\"v\",\"le\":\"+Inf\"},\"value\":2.0,\"timestamp\":7}\n\
             {\"name\":\"c_seconds_sum\",\"labels\":{\"k\":\"v\"},\"value\":3.5,\"timestamp\":7}\n\
             {\"name\":\"c_seconds_count\",\"labels\":{\"k\":\"v\"},\"value\":2.0,\"timestamp\":7}\n\
             {\"name\":\"client_refused_series_total\",\"labels\":{},\"value\":0.0,\"timestamp\":7}\n"
        );
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_line(value in ".{1,20}", number in any::<f64>()) {
            let registry = Registry::new();
            registry.gauge("g", "", &[("l", &value)]).unwrap().set(number);
            let page = registry.text();
            let line = page.lines().find(|line| line.starts_with("g{")).unwrap();
            prop_assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{}", line);
            prop_assert_eq!(registry.lines(1).lines().count(), 1 + usize::from(number.is_finite()));
        }
    }
}

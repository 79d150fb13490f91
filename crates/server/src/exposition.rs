//! The Prometheus text format, as far as Barograph's own metrics need it.
//!
//! The format is that of <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::fmt::Write;

use barograph_model::Kind;

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Starts a metric. Its samples follow.
    pub(crate) fn metric(&mut self, name: &str, kind: Kind, help: &str) -> Samples<'_> {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {}", kind.as_str()));
        Samples { page: self, name: name.to_owned() }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        self.text.write_fmt(line).unwrap_or_default();
        self.text.push('\n');
    }
}

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Samples<'a> {
    page: &'a mut Exposition,
    name: String,
}

impl Samples<'_> {
    pub(crate) fn value(self, value: f64) {
        self.page.line(format_args!("{} {value}", self.name));
    }

    pub(crate) fn labelled(&mut self, label: &str, label_value: &str, value: f64) {
        self.with_labels(&[(label, label_value)], value);
    }

    pub(crate) fn with_labels(&mut self, labels: &[(&str, &str)], value: f64) {
        let label = |(name, value): &(&str, &str)| {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{name}=\"{escaped}\"")
        };
        let labels: Vec<String> = labels.iter().map(label).collect();
        self.page.line(format_args!("{}{{{}}} {value}", self.name, labels.join(",")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_help_type_and_samples() {
        let mut page = Exposition::default();
        page.metric("a_total", Kind::Counter, "How often.").value(3.0);
        let mut metric = page.metric("b_seconds", Kind::Gauge, "How long.");
        metric.labelled("collector", "a\"b", 0.25);
        assert_eq!(
            page.finish(),
            "# HELP a_total How often.\n# TYPE a_total counter\na_total 3\n\
             # HELP b_seconds How long.\n# TYPE b_seconds gauge\nb_seconds{collector=\"a\\\"b\"} 0.25\n"
        );
    }
}

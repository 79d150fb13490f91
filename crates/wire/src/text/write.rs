//! Pages in the text formats.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Accept, Escaping, Format};
use crate::MetricType;

/// A page in the making, in the format that its reader accepts.
#[derive(Debug)]
pub struct PageWriter {
    text: String,
    accept: Accept,
    keeps_empty: bool,
}

impl PageWriter {
    pub fn new(accept: Accept) -> Self {
        Self { text: String::new(), accept, keeps_empty: false }
    }

    /// Writes labels without a value, too: whoever scrapes the page adds none of that name.
    #[must_use]
    pub fn keeping_empty_labels(self) -> Self {
        Self { keeps_empty: true, ..self }
    }

    /// Starts a metric; its samples must follow before the next one starts. An empty help is
    /// left out.
    pub fn metric(&mut self, name: &str, metric_type: MetricType, help: &str) {
        let strict = self.accept.format == Format::OpenMetrics;
        let name = escape_name(name, self.accept.escaping, Place::Metric);
        // OpenMetrics writes the suffix at the sample only, and knows no counter without it.
        let (name, metric_type) = match (strict, metric_type, name.strip_suffix("_total")) {
            (true, MetricType::Counter, Some(stem)) => (Cow::Borrowed(stem), metric_type),
            (true, MetricType::Counter, None) => (name.clone(), MetricType::Unknown),
            _ => (name.clone(), metric_type),
        };
        let type_name = match metric_type {
            MetricType::Unknown if !strict => "untyped",
            MetricType::GaugeHistogram | MetricType::Info | MetricType::StateSet if !strict => {
                "gauge"
            }
            _ => metric_type.as_str(),
        };
        for (keyword, text) in [("HELP", help), ("TYPE", type_name)] {
            if text.is_empty() {
                continue;
            }
            self.text += "# ";
            self.text += keyword;
            self.text.push(' ');
            if is_plain(&name, Place::Metric) {
                self.text += &name;
            } else {
                self.quoted(&name);
            }
            self.text.push(' ');
            escape_into(&mut self.text, text, strict);
            self.text.push('\n');
        }
    }

    /// Adds a sample. A label with an empty value is left out, unless such are kept.
    pub fn sample<'a>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: f64,
        timestamp_ms: Option<i64>,
    ) {
        let escaping = self.accept.escaping;
        let name = escape_name(name, escaping, Place::Metric);
        let keeps_empty = self.keeps_empty;
        let mut separator = "{";
        if is_plain(&name, Place::Metric) {
            self.text += &name;
        } else {
            self.text.push('{');
            self.quoted(&name);
            separator = ",";
        }
        for (label, label_value) in
            labels.into_iter().filter(|(_, value)| keeps_empty || !value.is_empty())
        {
            self.text += separator;
            separator = ",";
            let label = escape_name(label, escaping, Place::Label);
            if is_plain(&label, Place::Label) {
                self.text += &label;
            } else {
                self.quoted(&label);
            }
            self.text.push('=');
            self.quoted(label_value);
        }
        if separator == "," {
            self.text.push('}');
        }
        self.text.push(' ');
        self.value(value);
        if let Some(time_ms) = timestamp_ms {
            self.timestamp(time_ms);
        }
        self.text.push('\n');
    }

    /// The page, and its `Content-Type`.
    pub fn finish(mut self) -> (String, String) {
        if self.accept.format == Format::OpenMetrics {
            self.text += "# EOF\n";
        }
        (self.text, self.accept.content_type())
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        escape_into(&mut self.text, text, true);
        self.text.push('"');
    }

    fn value(&mut self, value: f64) {
        /// From here on, digits would be made up.
        const LARGE: f64 = 1e15;
        let written = if value.is_nan() {
            self.text += "NaN";
            Ok(())
        } else if value.is_infinite() {
            self.text += if value > 0.0 { "+Inf" } else { "-Inf" };
            Ok(())
        } else if value.fract() == 0.0 && value.abs() < LARGE {
            write!(self.text, "{value}")
        } else {
            write!(self.text, "{value:?}")
        };
        // Writing to a string cannot fail.
        written.unwrap_or_default();
    }

    fn timestamp(&mut self, time_ms: i64) {
        let written = match self.accept.format {
            Format::Prometheus => write!(self.text, " {time_ms}"),
            Format::OpenMetrics => {
                let sign = if time_ms < 0 { "-" } else { "" };
                let time_ms = time_ms.unsigned_abs();
                write!(self.text, " {sign}{}.{:03}", time_ms / 1000, time_ms % 1000)
            }
        };
        written.unwrap_or_default();
    }
}

fn escape_into(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

/// Where a name stands: metrics may have a colon in theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Metric,
    Label,
}

fn is_plain(name: &str, place: Place) -> bool {
    !name.is_empty() && name.chars().enumerate().all(|(index, c)| allowed(c, index, place))
}

fn allowed(c: char, index: usize, place: Place) -> bool {
    c.is_ascii_alphabetic()
        || c == '_'
        || (c == ':' && place == Place::Metric)
        || (index > 0 && c.is_ascii_digit())
}

/// A name as a reader takes it, by the rules of
/// <https://prometheus.io/docs/instrumenting/escaping_schemes/>.
pub fn escape_name(name: &str, escaping: Escaping, place: Place) -> Cow<'_, str> {
    let plain = is_plain(name, place);
    if name.is_empty() || escaping == Escaping::AllowUtf8 || plain && escaping != Escaping::Dots {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    if escaping == Escaping::Values {
        out += "U__";
    }
    for (index, c) in name.chars().enumerate() {
        match (escaping, c) {
            (Escaping::Dots | Escaping::Values, '_') => out += "__",
            (Escaping::Dots, '.') => out += "_dot_",
            // After `U__` no character is the first one.
            (Escaping::Values, c) if allowed(c, index + 1, place) => out.push(c),
            (_, c) if allowed(c, index, place) => out.push(c),
            (Escaping::Values, c) => {
                // Writing to a string cannot fail.
                write!(out, "_{:X}_", u32::from(c)).unwrap_or_default();
            }
            (Escaping::Dots, _) => out += "__",
            _ => out.push('_'),
        }
    }
    Cow::Owned(out)
}

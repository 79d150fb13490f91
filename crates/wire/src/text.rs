//! The text formats that exporters answer with: Prometheus' own and OpenMetrics 1.0.
//!
//! [`TextParser`] goes through a page line by line and gives slices of it; nothing is copied but
//! values with escapes in them. Both formats follow
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/instrumenting/content_negotiation/> and
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. In OpenMetrics it is strict about
//! spaces, `# EOF`, units and the form of exemplars. Like Prometheus it lets pass what samples can
//! be read in spite of, and what exporters do: metadata that comes again or late, two metrics whose
//! names OpenMetrics makes one, a counter below zero or without `_total`, buckets out of order.

mod bound;
mod cursor;
mod error;
mod family;
mod format;
mod sample;
mod write;

use std::borrow::Cow;

use sample::Kept;

use crate::MetricType;

pub use error::{Problem, TextError};
pub use format::{Accept, Escaping, Format};
pub use write::{PageWriter, Place, escape_name};

/// Bounds on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub line_bytes: usize,
    pub samples: usize,
    /// Labels on one sample, the metric's name not counted.
    pub labels: usize,
}

impl Default for Limits {
    /// A line that holds as many and as long labels as a series may have; a page of a million
    /// samples, ten times the largest that exporters are known for.
    fn default() -> Self {
        Self {
            line_bytes: 512 * 1024,
            samples: 1_000_000,
            labels: barograph_model::Labels::MAX_COUNT - 1,
        }
    }
}

/// One label. The value may be empty, which means the same as no label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'a> {
    pub name: Cow<'a, str>,
    pub value: Cow<'a, str>,
}

/// One line that says something.
#[derive(Debug, PartialEq)]
pub enum Entry<'a, 'p> {
    About(Metadata<'a>),
    Sample(Sample<'a, 'p>),
}

/// A line about a metric.
#[derive(Debug, PartialEq, Eq)]
pub enum Metadata<'a> {
    Help { metric: Cow<'a, str>, help: Cow<'a, str> },
    Type { metric: Cow<'a, str>, metric_type: MetricType },
    Unit { metric: Cow<'a, str>, unit: &'a str },
}

/// One sample. An exemplar on its line was checked and dropped.
#[derive(Debug, PartialEq)]
pub struct Sample<'a, 'p> {
    /// Name and labels as they stand on the page: the same text is the same series.
    pub series: &'a str,
    pub name: &'p str,
    /// Without the name, in the page's order, none twice. `le` of a histogram and `quantile` of a
    /// summary are written as in OpenMetrics: `1.0` for `1`.
    pub labels: &'p [Label<'a>],
    /// Any NaN of the page is the same NaN, so that none passes for a staleness marker.
    pub value: f64,
    /// Milliseconds since 1970-01-01 UTC.
    pub timestamp_ms: Option<i64>,
}

/// Reads one page.
#[derive(Debug)]
pub struct TextParser<'a> {
    rest: &'a str,
    format: Format,
    limits: Limits,
    line: usize,
    samples: usize,
    /// `# EOF` was seen.
    ended: bool,
    /// Of the newest `# TYPE`, whatever metric it names: by it Prometheus tells bounds and quantiles.
    newest_type: MetricType,
    kept: Kept<'a>,
}

impl<'a> TextParser<'a> {
    /// # Errors
    /// The page is not UTF-8.
    pub fn new(page: &'a [u8], format: Format, limits: Limits) -> Result<Self, TextError> {
        let rest = std::str::from_utf8(page).map_err(|error| {
            let good = page.get(..error.valid_up_to()).unwrap_or_default();
            let line_start = memchr::memrchr(b'\n', good).map_or(0, |at| at + 1);
            TextError {
                line: memchr::memchr_iter(b'\n', good).count() + 1,
                column: good.len() - line_start + 1,
                problem: Problem::NotUtf8,
            }
        })?;
        Ok(Self {
            rest,
            format,
            limits,
            line: 0,
            samples: 0,
            ended: false,
            newest_type: MetricType::default(),
            kept: Kept::default(),
        })
    }

    /// The next line that says something; nothing at the end.
    ///
    /// # Errors
    /// The line breaks the format or passes a limit. Nothing after it can be read.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a, '_>>, TextError> {
        let strict = self.format == Format::OpenMetrics;
        while let Some(line) = self.next_line()? {
            match line.as_bytes().first() {
                Some(b'#') => {
                    if let Some(metadata) = self.comment(line)? {
                        return Ok(Some(Entry::About(metadata)));
                    }
                }
                None if strict => return Err(self.error(1, Problem::expected("a sample", ""))),
                _ if !strict && line.bytes().all(|byte| byte == b' ' || byte == b'\t') => {}
                _ => return self.sample(line).map(Some),
            }
        }
        if strict && !self.ended {
            self.line += 1;
            return Err(self.error(1, Problem::NoEnd));
        }
        Ok(None)
    }

    /// The next line without its end.
    fn next_line(&mut self) -> Result<Option<&'a str>, TextError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if self.ended {
            return Err(self.error(1, Problem::AfterEnd));
        }
        let (line, rest) = match memchr::memchr(b'\n', self.rest.as_bytes()) {
            Some(end) => self.rest.split_at_checked(end).unwrap_or_default(),
            None => (self.rest, ""),
        };
        // OpenMetrics ends each line with a line feed, the last one possibly without.
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        if line.len() > self.limits.line_bytes {
            return Err(self.error(1, Problem::LongLine { most: self.limits.line_bytes }));
        }
        Ok(Some(line))
    }

    fn comment(&mut self, line: &'a str) -> Result<Option<Metadata<'a>>, TextError> {
        let parsed = match self.format {
            Format::Prometheus => family::classic(line),
            Format::OpenMetrics if line == "# EOF" => {
                self.ended = true;
                Ok(None)
            }
            Format::OpenMetrics => family::open_metrics(line).map(Some),
        };
        if let Ok(Some(Metadata::Type { metric_type, .. })) = &parsed {
            self.newest_type = *metric_type;
        }
        parsed.map_err(|(column, problem)| self.error(column, problem))
    }

    fn sample(&mut self, line: &'a str) -> Result<Entry<'a, '_>, TextError> {
        self.samples += 1;
        if self.samples > self.limits.samples {
            return Err(self.error(1, Problem::TooManySamples { most: self.limits.samples }));
        }
        let parsed = self.kept.read(line, self.format, self.limits.labels);
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err((column, problem)) => return Err(self.error(column, problem)),
        };
        self.kept.normalize_bounds(self.newest_type);
        Ok(Entry::Sample(Sample {
            series: parsed.series,
            name: self.kept.name(),
            labels: self.kept.labels(),
            value: parsed.value,
            timestamp_ms: parsed.timestamp_ms,
        }))
    }

    fn error(&self, column: usize, problem: Problem) -> TextError {
        TextError { line: self.line, column, problem }
    }
}

#[cfg(test)]
mod tests;

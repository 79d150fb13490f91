//! The line of a sample.

use std::borrow::Cow;

use super::cursor::{At, Cursor};
use super::{Format, Label, Problem, bound};
use crate::MetricType;

/// Name and labels of the newest sample; the memory is used again for each.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    name: Cow<'a, str>,
    labels: Vec<Label<'a>>,
}

/// What a line says beside name and labels.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) series: &'a str,
    pub(super) value: f64,
    pub(super) timestamp_ms: Option<i64>,
}

/// OpenMetrics' bound on the labels of an exemplar, names and values together.
const EXEMPLAR_CHARS: usize = 128;

impl<'a> Kept<'a> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn labels(&self) -> &[Label<'a>] {
        &self.labels
    }

    /// To be called after a line was read, with the type that the page said last.
    pub(super) fn normalize_bounds(&mut self, metric_type: MetricType) {
        bound::normalize(&mut self.labels, metric_type);
    }

    pub(super) fn read(
        &mut self,
        line: &'a str,
        format: Format,
        max_labels: usize,
    ) -> At<Parsed<'a>> {
        let mut cursor = Cursor::new(line);
        let blanks = Blanks { strict: format == Format::OpenMetrics };
        blanks.skip(&mut cursor);
        let start = cursor.at();
        self.labels.clear();
        self.name = Cow::Borrowed(cursor.metric_name());
        let after_name = cursor;
        blanks.skip(&mut cursor);
        if cursor.take(b'{') {
            self.braces(&mut cursor, blanks, max_labels)?;
        } else {
            cursor = after_name;
        }
        if self.name.is_empty() {
            return cursor.expected("a metric name");
        }
        let series = cursor.since(start);
        let braces = series.ends_with('}');
        blanks.between(&mut cursor, braces && !blanks.strict, "a value")?;
        let value = number(&mut cursor)?;
        let timestamp_ms = if blanks.strict {
            strict_end(&mut cursor, max_labels)?
        } else {
            classic_end(&mut cursor)?
        };
        Ok(Parsed { series, value, timestamp_ms })
    }

    /// After `{`: labels, and the metric's name if it is not before the brace.
    fn braces(&mut self, cursor: &mut Cursor<'a>, blanks: Blanks, max_labels: usize) -> At<()> {
        loop {
            blanks.skip(cursor);
            if cursor.take(b'}') {
                return Ok(());
            }
            let place = cursor.at() + 1;
            let is_quoted = cursor.peek() == Some(b'"');
            let name = if is_quoted {
                cursor.quoted("a label name")?
            } else {
                Cow::Borrowed(cursor.label_name())
            };
            if name.is_empty() {
                return Err((
                    place,
                    Problem::expected("a label name or `}`", rest_at(cursor, place)),
                ));
            }
            blanks.skip(cursor);
            if cursor.take(b'=') {
                blanks.skip(cursor);
                let value = cursor.quoted("a label value in quotes")?;
                self.add(Label { name, value }, max_labels).map_err(|problem| (place, problem))?;
            } else if is_quoted && self.name.is_empty() {
                self.name = name;
            } else {
                return cursor.expected("`=` after the label name");
            }
            blanks.skip(cursor);
            if !cursor.take(b',') && cursor.peek() != Some(b'}') {
                return cursor.expected("`,` or `}`");
            }
        }
    }

    fn add(&mut self, label: Label<'a>, max_labels: usize) -> Result<(), Problem> {
        if self.labels.len() == max_labels {
            return Err(Problem::TooManyLabels { most: max_labels });
        }
        if label.name == barograph_model::METRIC_NAME
            || self.labels.iter().any(|other| other.name == label.name)
        {
            return Err(Problem::DuplicateLabel { name: label.name.into_owned() });
        }
        self.labels.push(label);
        Ok(())
    }
}

fn rest_at<'a>(cursor: &Cursor<'a>, place: usize) -> &'a str {
    if cursor.at() + 1 == place { cursor.rest() } else { "\"\"" }
}

/// How blanks are treated: in OpenMetrics each has its place.
#[derive(Debug, Clone, Copy)]
struct Blanks {
    strict: bool,
}

impl Blanks {
    fn skip(self, cursor: &mut Cursor<'_>) {
        if !self.strict {
            cursor.skip_blanks();
        }
    }

    /// Blanks between two things, or one space.
    fn between(self, cursor: &mut Cursor<'_>, optional: bool, what: &'static str) -> At<()> {
        if self.strict {
            return cursor.require(b' ', "a space");
        }
        let is_blank = matches!(cursor.peek(), Some(b' ' | b'\t'));
        cursor.skip_blanks();
        if is_blank || optional { Ok(()) } else { cursor.expected(what) }
    }
}

/// After the value in Prometheus' format: nothing, or milliseconds.
fn classic_end(cursor: &mut Cursor<'_>) -> At<Option<i64>> {
    const WHAT: &str = "a timestamp in milliseconds or the end of the line";
    cursor.skip_blanks();
    if cursor.peek().is_none() {
        return Ok(None);
    }
    let before = *cursor;
    let Ok(time) = cursor.word().parse() else { return before.expected(WHAT) };
    cursor.skip_blanks();
    if cursor.peek().is_some() { cursor.expected("the end of the line") } else { Ok(Some(time)) }
}

/// After the value in OpenMetrics: seconds, an exemplar, both or nothing.
fn strict_end(cursor: &mut Cursor<'_>, max_labels: usize) -> At<Option<i64>> {
    let mut time = None;
    if cursor.peek().is_none() {
        return Ok(None);
    }
    cursor.require(b' ', "a space")?;
    if cursor.peek() != Some(b'#') {
        time = Some(seconds(cursor)?);
        if cursor.peek().is_none() {
            return Ok(time);
        }
        cursor.require(b' ', "a space")?;
    }
    exemplar(cursor, max_labels)?;
    if cursor.peek().is_some() { cursor.expected("the end of the line") } else { Ok(time) }
}

fn exemplar(cursor: &mut Cursor<'_>, max_labels: usize) -> At<()> {
    let place = cursor.at() + 1;
    if !cursor.take_word("# {") {
        return cursor.expected("an exemplar (`# {`)");
    }
    // The name is taken, so that one in quotes is not accepted here.
    let mut kept = Kept { name: Cow::Borrowed("exemplar"), labels: Vec::new() };
    kept.braces(cursor, Blanks { strict: true }, max_labels)?;
    let chars = |label: &Label<'_>| label.name.chars().count() + label.value.chars().count();
    if kept.labels.iter().map(chars).sum::<usize>() > EXEMPLAR_CHARS {
        return Err((place, Problem::LongExemplar { most: EXEMPLAR_CHARS }));
    }
    cursor.require(b' ', "a space")?;
    number(cursor)?;
    if cursor.take(b' ') {
        seconds(cursor)?;
    }
    Ok(())
}

/// A decimal number, an infinity or NaN, as Go reads them.
fn number(cursor: &mut Cursor<'_>) -> At<f64> {
    let before = *cursor;
    match go_number(cursor.word()) {
        Some(value) if value.is_nan() => Ok(f64::NAN),
        Some(value) => Ok(value),
        None => before.expected("a number"),
    }
}

pub(super) fn go_number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| {
        if value.is_nan() {
            text.eq_ignore_ascii_case("nan")
        } else {
            // A number too large for a float is not the infinity that it would round to.
            value.is_finite() || text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'i'))
        }
    })
}

/// Seconds since 1970, in milliseconds.
fn seconds(cursor: &mut Cursor<'_>) -> At<i64> {
    /// Beyond it a float has no milliseconds any more.
    const MAX_SECONDS: f64 = 9.0e12;
    let before = *cursor;
    let seconds = number(cursor)?;
    if !(-MAX_SECONDS..=MAX_SECONDS).contains(&seconds) {
        return before.expected("a timestamp in seconds");
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    Ok((seconds * 1000.0).round() as i64)
}

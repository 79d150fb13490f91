//! The line protocol of InfluxDB, as Telegraf and many devices write it.
//!
//! The format is that of <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>.
//! A field becomes a series called `measurement_field`, or `measurement` when the field is called
//! `value`; fields that hold texts are no samples and are left out.

use std::borrow::Cow;

use crate::statsd::{label_name, metric_name};

/// Tags and fields of one line.
const MAX_PARTS: usize = 1000;

/// Names and values of tags.
pub type Tags<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    pub measurement: Cow<'a, str>,
    pub tags: Tags<'a>,
    /// Numbers only; truth values are 0 and 1.
    pub fields: Vec<(Cow<'a, str>, f64)>,
    /// In the unit that the sender chose.
    pub time: Option<i64>,
}

/// What a sender's times are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    #[default]
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("the measurement has no name")]
    NoName,
    #[error("there are no fields")]
    NoFields,
    #[error("`{part}` is not in the form `name=value`")]
    NoValue { part: String },
    #[error(
        "the value `{value}` of field `{field}` is not a number, a truth value or a text in quotes"
    )]
    Value { field: String, value: String },
    #[error("a text in quotes does not end")]
    OpenText,
    #[error("the time `{time}` is not a whole number")]
    Time { time: String },
    #[error("more than {MAX_PARTS} tags or fields")]
    ManyParts,
    #[error("`{rest}` follows the time")]
    Rest { rest: String },
}

impl Precision {
    /// The names of both versions of InfluxDB's interface.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ns" | "n" | "" => Self::Nanoseconds,
            "us" | "u" | "µ" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            "m" => Self::Minutes,
            "h" => Self::Hours,
            _ => return None,
        })
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn to_ms(self, time: i64) -> i64 {
        match self {
            Self::Nanoseconds => time.div_euclid(1_000_000),
            Self::Microseconds => time.div_euclid(1000),
            Self::Milliseconds => time,
            Self::Seconds => time.saturating_mul(1000),
            Self::Minutes => time.saturating_mul(60_000),
            Self::Hours => time.saturating_mul(3_600_000),
        }
    }
}

impl Line<'_> {
    /// The series of a field.
    pub fn metric(&self, field: &str) -> String {
        if field == "value" {
            return metric_name(&self.measurement).into_owned();
        }
        metric_name(&format!("{}_{field}", self.measurement)).into_owned()
    }

    /// The tags with the names of labels.
    pub fn labels(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        self.tags.iter().map(|(name, value)| (label_name(name), &**value))
    }
}

/// Reads one line; nothing when it is empty or a comment.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &str) -> Result<Option<Line<'_>>, LineError> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (head, rest) = split_at(line, b" ", false)?;
    let (fields, rest) = split_at(rest.unwrap_or_default().trim_start(), b" ", true)?;
    let (measurement, tags) = split_at(head, b",", false)?;
    let measurement = unescape(measurement, ", ");
    if measurement.is_empty() {
        return Err(LineError::NoName);
    }
    Ok(Some(Line {
        measurement,
        tags: parse_tags(tags.unwrap_or_default())?,
        fields: parse_fields(fields)?,
        time: parse_time(rest.unwrap_or_default().trim())?,
    }))
}

/// Splits at the first of the bytes that no backslash escapes and, where texts may be, that no
/// quotes hold.
fn split_at<'a>(
    text: &'a str,
    at: &[u8],
    quotes: bool,
) -> Result<(&'a str, Option<&'a str>), LineError> {
    let (mut escaped, mut quoted) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if quotes && byte == b'"' {
            quoted = !quoted;
        } else if !quoted && at.contains(&byte) {
            // What is looked for is ASCII, so these are borders of characters.
            return Ok((
                text.get(..index).unwrap_or_default(),
                Some(text.get(index + 1..).unwrap_or_default()),
            ));
        }
    }
    if quoted { Err(LineError::OpenText) } else { Ok((text, None)) }
}

fn parse_tags(text: &str) -> Result<Tags<'_>, LineError> {
    let mut tags = Vec::new();
    let mut rest = Some(text).filter(|text| !text.is_empty());
    while let Some(text) = rest {
        let (tag, after) = split_at(text, b",", false)?;
        rest = after;
        let (name, value) = split_at(tag, b"=", false)?;
        let value = value.filter(|_| !name.is_empty()).ok_or_else(|| no_value(tag))?;
        if tags.len() >= MAX_PARTS {
            return Err(LineError::ManyParts);
        }
        tags.push((unescape(name, ",= "), unescape(value, ",= ")));
    }
    Ok(tags)
}

fn parse_fields(text: &str) -> Result<Vec<(Cow<'_, str>, f64)>, LineError> {
    let mut fields = Vec::new();
    let mut count = 0;
    let mut rest = Some(text).filter(|text| !text.is_empty());
    if rest.is_none() {
        return Err(LineError::NoFields);
    }
    while let Some(text) = rest {
        let (field, after) = split_at(text, b",", true)?;
        rest = after;
        let (name, value) = split_at(field, b"=", false)?;
        let value = value.filter(|_| !name.is_empty()).ok_or_else(|| no_value(field))?;
        count += 1;
        if count > MAX_PARTS {
            return Err(LineError::ManyParts);
        }
        let name = unescape(name, ",= ");
        if let Some(number) = parse_value(&name, value)? {
            fields.push((name, number));
        }
    }
    Ok(fields)
}

/// A number, or nothing for a text.
fn parse_value(field: &str, value: &str) -> Result<Option<f64>, LineError> {
    let error = || LineError::Value { field: start_of(field), value: start_of(value) };
    if value.starts_with('"') {
        let ends = value.len() >= 2 && value.ends_with('"');
        return if ends { Ok(None) } else { Err(error()) };
    }
    match value {
        "t" | "T" | "true" | "True" | "TRUE" => return Ok(Some(1.0)),
        "f" | "F" | "false" | "False" | "FALSE" => return Ok(Some(0.0)),
        _ => {}
    }
    if let Some(integer) = value.strip_suffix('i') {
        let integer: i64 = integer.parse().map_err(|_| error())?;
        return Ok(Some(integer as f64));
    }
    if let Some(integer) = value.strip_suffix('u') {
        let integer: u64 = integer.parse().map_err(|_| error())?;
        return Ok(Some(integer as f64));
    }
    let number: Option<f64> = value.parse().ok();
    number.filter(|number| number.is_finite()).map(Some).ok_or_else(error)
}

fn parse_time(text: &str) -> Result<Option<i64>, LineError> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some((_, rest)) = text.split_once(' ') {
        return Err(LineError::Rest { rest: start_of(rest) });
    }
    text.parse().map(Some).map_err(|_| LineError::Time { time: start_of(text) })
}

/// Takes backslashes away before the given characters; before others they stay.
fn unescape<'a>(text: &'a str, special: &str) -> Cow<'a, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_escape = c == '\\' && chars.peek().is_some_and(|next| special.contains(*next));
        if !is_escape {
            out.push(c);
        } else if let Some(next) = chars.next() {
            out.push(next);
        }
    }
    Cow::Owned(out)
}

fn no_value(part: &str) -> LineError {
    LineError::NoValue { part: start_of(part) }
}

/// Enough of a text to recognise it by.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Line<'_> {
        parse(text).unwrap().unwrap()
    }

    #[test]
    fn a_line_has_tags_fields_and_a_time() {
        let text = r#"cpu,host=web-1,core=0 usage_idle=98.5,count=3i,up=true,note="a, \"b\" c",n=7u 1790000000"#;
        let line = line(text);
        assert_eq!(line.measurement, "cpu");
        let labels: Vec<_> = line.labels().map(|(n, v)| (n.into_owned(), v.to_owned())).collect();
        assert_eq!(labels, [("host".into(), "web-1".into()), ("core".into(), "0".into())]);
        let fields: Vec<_> = line.fields.iter().map(|(n, v)| (line.metric(n), *v)).collect();
        let expected =
            [("cpu_usage_idle", 98.5), ("cpu_count", 3.0), ("cpu_up", 1.0), ("cpu_n", 7.0)];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(line.time, Some(1_790_000_000));
    }

    #[test]
    fn special_characters_are_escaped() {
        let line = line(r"disk\ io,path=C:\ \=x,a\,b=1 value=2");
        assert_eq!(line.measurement, "disk io");
        assert_eq!(line.tags, [("path".into(), "C: =x".into()), ("a,b".into(), "1".into())]);
        assert_eq!(line.metric("value"), "disk_io");
    }

    #[test]
    fn comments_and_empty_lines_are_nothing() {
        for text in ["", "  ", "# cpu value=1", "\r"] {
            assert_eq!(parse(text), Ok(None));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, message) in [
            (",a=b value=1", "the measurement has no name"),
            ("cpu", "there are no fields"),
            ("cpu,a value=1", "`a` is not in the form `name=value`"),
            ("cpu,=x value=1", "`=x` is not in the form `name=value`"),
            ("cpu value", "`value` is not in the form `name=value`"),
            (
                "cpu value=",
                "the value `` of field `value` is not a number, a truth value or a text in quotes",
            ),
            (
                "cpu value=1x",
                "the value `1x` of field `value` is not a number, a truth value or a text in quotes",
            ),
            (
                "cpu value=NaN",
                "the value `NaN` of field `value` is not a number, a truth value or a text in quotes",
            ),
            ("cpu value=\"x", "a text in quotes does not end"),
            ("cpu value=1 soon", "the time `soon` is not a whole number"),
            ("cpu value=1 1 2", "`2` follows the time"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn times_are_counted_in_the_unit_of_the_sender() {
        for (name, time, ms) in [
            ("", 1_500_000_000, 1500),
            ("ns", -1, -1),
            ("us", 2_500, 2),
            ("ms", 7, 7),
            ("s", 7, 7000),
            ("m", 7, 420_000),
            ("h", i64::MAX, i64::MAX),
        ] {
            assert_eq!(Precision::parse(name).unwrap().to_ms(time), ms, "{name}");
        }
        assert_eq!(Precision::parse("fortnight"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_line_or_refused(text in ".{0,100}") {
            drop(parse(&text));
        }

        #[test]
        fn any_text_of_the_right_letters_is_a_line_or_refused(text in "[a-c,= \\\\\"#0-9itu.-]{0,60}") {
            if let Ok(Some(line)) = parse(&text) {
                prop_assert!(!line.measurement.is_empty());
                prop_assert!(line.fields.iter().all(|(_, value)| value.is_finite()));
            }
        }
    }
}

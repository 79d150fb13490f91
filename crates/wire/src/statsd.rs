//! StatsD and DogStatsD: datagrams of lines, each a measurement or an occurrence.
//!
//! The format is that of <https://github.com/statsd/statsd/blob/master/docs/metric_types.md> and
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>. Tags are understood in the
//! ways of DogStatsD (`name:1|c|#env:prod`), InfluxDB (`name,env=prod:1|c`) and Graphite
//! (`name;env=prod:1|c`).

use std::borrow::Cow;

/// Longer lines are no measurements.
const MAX_LINE_BYTES: usize = 8192;
/// Values in one line (`name:1:2:3|ms`).
const MAX_VALUES: usize = 1000;
/// What a sampling rate may multiply: one in a billion is a mistake.
const MIN_RATE: f64 = 1e-9;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    Metric(Metric<'a>),
    /// `_e{…}`: something happened.
    Event,
    /// `_sc|…`: a service is well, or is not.
    ServiceCheck,
}

/// A measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub values: Values<'a>,
    /// The share of occurrences that is sent, above 0 and at most 1.
    pub rate: f64,
    /// In the order of the line; a tag without a value has an empty one.
    pub tags: Vec<(&'a str, &'a str)>,
    /// Seconds since 1970, if the sender gives it (DogStatsD 1.3).
    pub time_s: Option<i64>,
}

/// How values come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `c`: added up.
    Counter,
    /// `g`: the last one stands.
    Gauge,
    /// `ms`: milliseconds, of which the distribution counts.
    Timer,
    /// `h` and `d`: the distribution counts.
    Histogram,
    /// `s`: how many different ones there are.
    Set,
}

/// The values of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    Numbers(Vec<f64>),
    /// For a gauge: up or down from where it is.
    Change(f64),
    /// For a set.
    Texts(Vec<&'a str>),
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("the line is not UTF-8")]
    NotUtf8,
    #[error("the line has {bytes} bytes, at most {MAX_LINE_BYTES} are allowed")]
    Long { bytes: usize },
    #[error("there is no `:` between a name and a value")]
    NoValue,
    #[error("there is no `|` between a value and its type")]
    NoKind,
    #[error("the name is empty")]
    NoName,
    #[error("the type `{kind}` is none of c, g, ms, h, d, s")]
    Kind { kind: String },
    #[error("the value `{value}` is not a finite number")]
    Number { value: String },
    #[error("more than {MAX_VALUES} values in a line")]
    ManyValues,
    #[error("the sampling rate `{rate}` is not a number above 0 and at most 1")]
    Rate { rate: String },
    #[error("the time `{time}` is not whole seconds since 1970")]
    Time { time: String },
    #[error("a tag has an empty name")]
    NoTagName,
}

/// The lines of a datagram, empty ones left out.
pub fn lines(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    datagram
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &[u8]) -> Result<Line<'_>, LineError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::Long { bytes: line.len() });
    }
    if line.starts_with(b"_e{") {
        return Ok(Line::Event);
    }
    if line.starts_with(b"_sc|") {
        return Ok(Line::ServiceCheck);
    }
    let line = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
    metric(line).map(Line::Metric)
}

fn metric(line: &str) -> Result<Metric<'_>, LineError> {
    let mut parts = line.split('|');
    let head = parts.next().unwrap_or_default();
    let kind = kind(parts.next().ok_or(LineError::NoKind)?)?;
    // Tags behind the name may hold colons only as DogStatsD's do, which stand elsewhere.
    let (name, values) = head.split_once(':').ok_or(LineError::NoValue)?;
    let mut tags = Vec::new();
    let name = split_name(name, &mut tags)?;
    let (mut rate, mut time_s) = (1.0, None);
    for part in parts {
        if let Some(text) = part.strip_prefix('@') {
            rate = parse_rate(text)?;
        } else if let Some(text) = part.strip_prefix('#') {
            for tag in text.split(',').filter(|tag| !tag.is_empty()) {
                push_tag(&mut tags, tag, ':')?;
            }
        } else if let Some(text) = part.strip_prefix('T') {
            let time = || LineError::Time { time: start_of(text) };
            time_s = Some(text.parse().map_err(|_| time())?);
        }
        // `c:…` names a container, and whatever comes next is for others, too.
    }
    let values = parse_values(kind, values)?;
    Ok(Metric { name, kind, values, rate, tags, time_s })
}

fn kind(text: &str) -> Result<Kind, LineError> {
    match text {
        "c" => Ok(Kind::Counter),
        "g" => Ok(Kind::Gauge),
        "ms" => Ok(Kind::Timer),
        "h" | "d" => Ok(Kind::Histogram),
        "s" => Ok(Kind::Set),
        _ => Err(LineError::Kind { kind: start_of(text) }),
    }
}

/// Takes the tags of InfluxDB and Graphite off a name.
fn split_name<'a>(text: &'a str, tags: &mut Vec<(&'a str, &'a str)>) -> Result<&'a str, LineError> {
    let mut parts = text.split([',', ';']);
    let name = parts.next().unwrap_or_default();
    if name.is_empty() {
        return Err(LineError::NoName);
    }
    for tag in parts.filter(|tag| !tag.is_empty()) {
        push_tag(tags, tag, '=')?;
    }
    Ok(name)
}

fn push_tag<'a>(
    tags: &mut Vec<(&'a str, &'a str)>,
    tag: &'a str,
    between: char,
) -> Result<(), LineError> {
    let (name, value) = tag.split_once(between).unwrap_or((tag, ""));
    if name.is_empty() {
        return Err(LineError::NoTagName);
    }
    tags.push((name, value));
    Ok(())
}

fn parse_rate(text: &str) -> Result<f64, LineError> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| (MIN_RATE..=1.0).contains(rate))
        .ok_or_else(|| LineError::Rate { rate: start_of(text) })
}

fn parse_values(kind: Kind, text: &str) -> Result<Values<'_>, LineError> {
    if kind == Kind::Set {
        // What is counted may hold colons, such as an address.
        return Ok(Values::Texts(vec![text]));
    }
    if kind == Kind::Gauge && text.starts_with(['+', '-']) && !text.contains(':') {
        return number(text).map(Values::Change);
    }
    let mut values = Vec::new();
    for value in text.split(':') {
        if values.len() >= MAX_VALUES {
            return Err(LineError::ManyValues);
        }
        values.push(number(value)?);
    }
    Ok(Values::Numbers(values))
}

fn number(text: &str) -> Result<f64, LineError> {
    let number: Option<f64> = text.parse().ok();
    let error = || LineError::Number { value: start_of(text) };
    number.filter(|number| number.is_finite()).ok_or_else(error)
}

/// Enough of a text to recognise it by.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A name as Prometheus' metrics have it: what is not a letter, a digit, `_` or `:` becomes `_`.
pub fn metric_name(name: &str) -> Cow<'_, str> {
    legal(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// A name as Prometheus' labels have it.
pub fn label_name(name: &str) -> Cow<'_, str> {
    legal(name, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn legal(name: &str, is_legal: impl Fn(char) -> bool) -> Cow<'_, str> {
    let starts_well = !name.starts_with(|c: char| c.is_ascii_digit());
    if starts_well && name.chars().all(&is_legal) {
        return Cow::Borrowed(name);
    }
    let front = if starts_well { "" } else { "_" };
    let rest = name.chars().map(|c| if is_legal(c) { c } else { '_' });
    Cow::Owned(front.chars().chain(rest).collect())
}

#[cfg(test)]
mod tests;

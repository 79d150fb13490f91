//! Series as tests of rules and of queries write them: `name{label="x"} 1+2x10 _ stale`, in the
//! notation of `promtool test rules`.

use barograph_model::{Labels, METRIC_NAME, STALE};

use crate::ast::Node;
use crate::parse::Query;

/// One place in a sequence of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Missing,
    Number(f64),
    /// A native histogram, which Barograph does not have.
    Histogram,
}

/// A line: which series, and its values one step after another.
#[derive(Debug, Clone)]
pub struct Line {
    pub labels: Labels,
    pub values: Vec<Value>,
}

/// Values that one line may stand for.
pub const MAX_VALUES: usize = 1_000_000;

/// # Errors
/// What is not a series with values, in words for people.
pub fn line(text: &str) -> Result<Line, String> {
    let (metric, rest) = split_metric(text);
    let labels = labels(metric)?;
    Ok(Line { labels, values: sequence(rest)? })
}

/// The labels end with the closing brace, or where the name does.
fn split_metric(text: &str) -> (&str, &str) {
    let mut quote = None;
    let mut escaped = false;
    let mut in_braces = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if c == open => quote = None,
            Some('`') => {}
            Some(_) => escaped = c == '\\',
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '{' => in_braces = true,
            None if c == '}' => return text.split_at(at + 1),
            None if c.is_whitespace() && !in_braces => return text.split_at(at),
            None => {}
        }
    }
    (text, "")
}

fn labels(text: &str) -> Result<Labels, String> {
    // A selector needs a condition; this one is taken away again.
    let (name, inner) = text.split_once('{').unwrap_or((text, "}"));
    let inner = inner.trim().strip_suffix('}').ok_or_else(|| format!("no labels: {text}"))?;
    let name = name.trim();
    let mut pairs: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    let comma = if inner.trim().is_empty() || inner.trim().ends_with(',') { "" } else { "," };
    let selector = format!("{{{inner}{comma} just_to_match=\"x\"}}");
    let query = Query::parse(&selector).map_err(|error| format!("labels {text}: {error}"))?;
    let Node::Vector(selector) = &query.expr().node else { return Err(text.to_owned()) };
    for matcher in selector.matchers.iter().filter(|m| m.label() != "just_to_match") {
        pairs.push((matcher.label().to_owned(), matcher.value().to_owned()));
    }
    Labels::new(pairs).map_err(|error| format!("labels {text}: {error}"))
}

/// The values of a series, one step after another.
///
/// # Errors
/// The word that is not one.
pub fn sequence(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for word in words(text) {
        item(&word, &mut values).ok_or_else(|| {
            format!("`{word}` is no value, and no sequence of at most {MAX_VALUES} values")
        })?;
    }
    Ok(values)
}

/// Words between spaces; a histogram in `{{…}}` holds spaces itself.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut depth = 0;
    for c in text.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c.is_whitespace() && depth == 0 {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(c);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// `_`, `_x5`, `stale`, `1`, `1x5`, `1+2x5`, `{{…}}` and so on.
fn item(word: &str, values: &mut Vec<Value>) -> Option<()> {
    let (body, times) = match word.rsplit_once('x') {
        Some((body, times)) if !word.ends_with('}') => (body, Some(times.parse::<usize>().ok()?)),
        _ => (word, None),
    };
    if values.len() + times.unwrap_or(0) >= MAX_VALUES {
        return None;
    }
    if body == "_" {
        values.extend(std::iter::repeat_n(Value::Missing, times.unwrap_or(1)));
        return Some(());
    }
    if body.starts_with("{{") {
        values.extend(std::iter::repeat_n(Value::Histogram, times.unwrap_or(0) + 1));
        return Some(());
    }
    if body == "stale" {
        values.push(Value::Number(STALE));
        return Some(());
    }
    let Some(times) = times else {
        values.push(Value::Number(number(body)?));
        return Some(());
    };
    let (mut value, increment) = match sign_between(body) {
        Some(at) => {
            let (start, increment) = body.split_at(at);
            (number(start)?, number(increment)?)
        }
        None => (number(body)?, 0.0),
    };
    for _ in 0..=times {
        values.push(Value::Number(value));
        value += increment;
    }
    Some(())
}

/// The sign between start and increment, which is neither the first nor an exponent's.
fn sign_between(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len())
        .find(|at| matches!(bytes[*at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'))
}

/// A number as the notation writes it, `Inf`, `NaN` and `stale` among them.
pub fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match digits.to_ascii_lowercase().as_str() {
        "inf" => Some(sign * f64::INFINITY),
        "nan" => Some(f64::NAN),
        "stale" => Some(STALE),
        _ => digits.parse::<f64>().ok().map(|value| sign * value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<f64> {
        let value = |value| match value {
            Value::Number(value) => value,
            _ => -99.0,
        };
        sequence(text).unwrap().into_iter().map(value).collect()
    }

    #[test]
    fn sequences_are_written_out() {
        assert_eq!(
            numbers("1+2x3 _ 5x1 -1-1x2 _x2"),
            [1.0, 3.0, 5.0, 7.0, -99.0, 5.0, 5.0, -1.0, -2.0, -3.0, -99.0, -99.0]
        );
        assert_eq!(numbers("1e-3+1e-3x1 -Inf"), [0.001, 0.002, f64::NEG_INFINITY]);
        assert_eq!(sequence("{{schema:0 sum:1 count:1}}x2 1").unwrap().len(), 4);
    }

    #[test]
    fn a_line_is_series_and_values() {
        let line = line("a{b=\"x } y\", c=\"1\"} 1 2").unwrap();
        assert_eq!(line.labels.get("b"), Some("x } y"));
        assert_eq!(line.values.len(), 2);
        assert_eq!(super::line("{} 1").unwrap().labels, Labels::new::<&str, &str>([]).unwrap());
    }
}

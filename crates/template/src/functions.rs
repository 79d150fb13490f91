//! The functions of templates: Go's own and Prometheus'.

use std::cmp::Ordering;
use std::net::IpAddr;

use barograph_promql::parse_duration;
use regex::RegexBuilder;

use super::value::{Sample, Value};
use super::{Context, escape_html, format, humanize};

/// What one value may take; a text that doubles in a loop ends here.
const MAX_TEXT_BYTES: usize = 64 * 1024;
const MAX_REGEX_BYTES: usize = 1024 * 1024;

type Called = Result<Value, String>;

/// A function of one text, of one number, or of what it is given.
enum Function {
    Text(fn(&str) -> String),
    Number(fn(f64) -> String),
    Any(fn(&[Value], &Context<'_>) -> Called),
}

static FUNCTIONS: &[(&str, Function)] = &[
    ("and", Function::Any(|values, _| last_decided(values, false))),
    ("args", Function::Any(|values, _| Ok(args(values)))),
    ("eq", Function::Any(|values, _| equal(values).map(Value::Bool))),
    ("externalURL", Function::Any(|_, context| Ok(Value::Text(context.external_url.to_owned())))),
    ("first", Function::Any(|values, _| first(values))),
    ("ge", Function::Any(|values, _| ordered(values, std::cmp::Ordering::is_ge))),
    ("graphLink", Function::Text(|expr| link(expr, 0))),
    ("gt", Function::Any(|values, _| ordered(values, std::cmp::Ordering::is_gt))),
    ("html", Function::Text(escape_html)),
    ("humanize", Function::Number(humanize::decimal)),
    ("humanize1024", Function::Number(humanize::binary)),
    ("humanizeDuration", Function::Number(humanize::duration)),
    ("humanizePercentage", Function::Number(humanize::percentage)),
    ("humanizeTimestamp", Function::Number(humanize::timestamp)),
    ("index", Function::Any(|values, _| index(values))),
    ("label", Function::Any(|values, _| label(values))),
    ("le", Function::Any(|values, _| ordered(values, std::cmp::Ordering::is_le))),
    ("len", Function::Any(|values, _| length(values))),
    ("lt", Function::Any(|values, _| ordered(values, std::cmp::Ordering::is_lt))),
    ("match", Function::Any(|values, _| matches(values))),
    ("ne", Function::Any(|values, _| equal(values).map(|it| Value::Bool(!it)))),
    ("not", Function::Any(|values, _| one(values).map(|it| Value::Bool(!it.is_true())))),
    ("now", Function::Any(|_, context| Ok(Value::Float(context.now_ms as f64 / 1000.0)))),
    ("or", Function::Any(|values, _| last_decided(values, true))),
    ("parseDuration", Function::Any(|values, _| duration(values))),
    ("pathPrefix", Function::Any(|_, context| Ok(Value::Text(path(context.external_url))))),
    ("print", Function::Any(|values, _| Ok(Value::Text(print(values))))),
    ("printf", Function::Any(|values, _| printf(values))),
    ("println", Function::Any(|values, _| Ok(Value::Text(texts(values).join(" ") + "\n")))),
    ("query", Function::Any(query)),
    ("reReplaceAll", Function::Any(|values, _| replace(values))),
    // Every channel escapes for itself, so nothing is safe or unsafe here.
    ("safeHtml", Function::Text(str::to_owned)),
    ("sortByLabel", Function::Any(|values, _| sort_by_label(values))),
    ("stripDomain", Function::Text(strip_domain)),
    ("stripPort", Function::Text(|host| split_host_port(host).map_or(host, |it| it.0).to_owned())),
    ("strvalue", Function::Any(|values, _| Ok(sample(one(values)?)?.label("__value__")))),
    ("tableLink", Function::Text(|expr| link(expr, 1))),
    ("title", Function::Text(title)),
    ("toDuration", Function::Any(|values, _| one(values)?.number().map(Value::Duration))),
    ("toLower", Function::Text(str::to_lowercase)),
    ("toTime", Function::Any(|values, _| time(values))),
    ("toUpper", Function::Text(str::to_uppercase)),
    ("urlQueryEscape", Function::Text(escape_query)),
    ("urlquery", Function::Text(escape_query)),
    ("value", Function::Any(|values, _| Ok(Value::Float(sample(one(values)?)?.value)))),
];

fn find(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|(it, _)| it.cmp(&name)).ok()?;
    FUNCTIONS.get(at).map(|(_, function)| function)
}

pub(super) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

pub(super) fn call(name: &str, values: &[Value], context: &Context<'_>) -> Called {
    let value = match find(name).ok_or("there is no such function")? {
        Function::Text(act) => match one(values)? {
            Value::Text(text) => Value::Text(act(text)),
            other => Value::Text(act(&other.text())),
        },
        Function::Number(act) => Value::Text(act(one(values)?.number()?)),
        Function::Any(act) => act(values, context)?,
    };
    match &value {
        Value::Text(text) if text.len() > MAX_TEXT_BYTES => {
            Err(format!("the text is longer than {MAX_TEXT_BYTES} bytes"))
        }
        _ => Ok(value),
    }
}

fn one(values: &[Value]) -> Result<&Value, String> {
    match values {
        [value] => Ok(value),
        _ => Err(format!("wrong number of args: want 1 got {}", values.len())),
    }
}

fn two(values: &[Value]) -> Result<(&Value, &Value), String> {
    match values {
        [a, b] => Ok((a, b)),
        _ => Err(format!("wrong number of args: want 2 got {}", values.len())),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("{} is not a text", other.kind())),
    }
}

fn sample(value: &Value) -> Result<&Sample, String> {
    match value {
        Value::Sample(sample) => Ok(sample),
        other => Err(format!("{} is not a sample", other.kind())),
    }
}

impl Sample {
    fn label(&self, name: &str) -> Value {
        Value::Text(self.labels.get(name).cloned().unwrap_or_default())
    }
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::text).collect()
}

/// The first value that decides, or the last one.
fn last_decided(values: &[Value], deciding: bool) -> Called {
    let decided = values.iter().find(|value| value.is_true() == deciding);
    decided.or(values.last()).cloned().ok_or_else(|| "wrong number of args: want at least 1".into())
}

fn args(values: &[Value]) -> Value {
    let named = values.iter().enumerate();
    Value::Map(named.map(|(i, value)| (format!("arg{i}"), value.clone())).collect())
}

fn equal(values: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = values.split_first().filter(|(_, others)| !others.is_empty())
    else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        let same = match (first, other) {
            (Value::Nil, Value::Nil) => true,
            (a, b) => compare(a, b)? == Some(Ordering::Equal),
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Numbers of either sort compare with each other, which Go refuses.
fn compare(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        (Value::Bool(a), Value::Bool(b)) => Ok(Some(a.cmp(b))),
        (Value::Integer(a), Value::Integer(b)) => Ok(Some(a.cmp(b))),
        (
            Value::Integer(_) | Value::Float(_) | Value::Duration(_),
            Value::Integer(_) | Value::Float(_) | Value::Duration(_),
        ) => Ok(a.number()?.partial_cmp(&b.number()?)),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn ordered(values: &[Value], wanted: fn(Ordering) -> bool) -> Called {
    let (a, b) = two(values)?;
    Ok(Value::Bool(compare(a, b)?.is_some_and(wanted)))
}

fn first(values: &[Value]) -> Called {
    match one(values)? {
        Value::List(items) => {
            items.first().cloned().ok_or_else(|| "first() called on vector with no elements".into())
        }
        other => Err(format!("{} is not a list", other.kind())),
    }
}

fn index(values: &[Value]) -> Called {
    let (container, key) = two(values)?;
    match (container, key) {
        (Value::Map(_), Value::Text(name)) => container.field(name),
        (Value::List(items), Value::Integer(at)) => {
            let item = usize::try_from(*at).ok().and_then(|at| items.get(at));
            item.cloned().ok_or_else(|| format!("index out of range: {at}"))
        }
        (container, key) => Err(format!("can't index {} by {}", container.kind(), key.kind())),
    }
}

fn label(values: &[Value]) -> Called {
    let (name, of) = two(values)?;
    Ok(sample(of)?.label(text(name)?))
}

fn length(values: &[Value]) -> Called {
    let length = match one(values)? {
        Value::Text(it) => it.len(),
        Value::List(it) => it.len(),
        Value::Map(it) => it.len(),
        other => return Err(format!("len of {}", other.kind())),
    };
    Ok(Value::Integer(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn regex(pattern: &str) -> Result<regex::Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|error| format!("the regular expression is not valid: {error}"))
}

fn matches(values: &[Value]) -> Called {
    let (pattern, of) = two(values)?;
    Ok(Value::Bool(regex(text(pattern)?)?.is_match(text(of)?)))
}

fn replace(values: &[Value]) -> Called {
    let [pattern, by, of] = values else {
        return Err(format!("wrong number of args: want 3 got {}", values.len()));
    };
    let replaced = regex(text(pattern)?)?.replace_all(text(of)?, text(by)?).into_owned();
    Ok(Value::Text(replaced))
}

fn duration(values: &[Value]) -> Called {
    let text = text(one(values)?)?;
    match parse_duration(text) {
        Ok(ms) => Ok(Value::Float(ms as f64 / 1000.0)),
        Err(error) => Err(format!("`{text}`: {error}")),
    }
}

fn time(values: &[Value]) -> Called {
    let seconds = one(values)?.number()?;
    let ms = humanize::to_millis(seconds).ok_or_else(|| format!("{seconds} is not a time"))?;
    Ok(Value::Time(ms))
}

/// Go puts blanks between operands unless one of them is a text.
fn print(values: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if i > 0 && !is_text(value) && !values.get(i - 1).is_some_and(is_text) {
            out.push(' ');
        }
        out.push_str(&value.text());
    }
    out
}

fn printf(values: &[Value]) -> Called {
    let (format, arguments) = values.split_first().ok_or("the format is missing")?;
    format::printf(text(format)?, arguments).map(Value::Text)
}

fn query(values: &[Value], context: &Context<'_>) -> Called {
    let samples = (context.query)(text(one(values)?)?)?;
    Ok(Value::List(samples.into_iter().map(Value::Sample).collect()))
}

fn sort_by_label(values: &[Value]) -> Called {
    let (name, list) = two(values)?;
    let (name, Value::List(items)) = (text(name)?, list) else {
        return Err(format!("{} is not a list", list.kind()));
    };
    let mut items = items.clone();
    items.sort_by_cached_key(|item| match item {
        Value::Sample(it) => it.labels.get(name).cloned().unwrap_or_default(),
        _ => String::new(),
    });
    Ok(Value::List(items))
}

fn link(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", escape_query(expr))
}

fn path(url: &str) -> String {
    let after_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_host.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

/// Host and port, with the brackets of an IPv6 address taken off.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(address) => Some((address.strip_suffix(']')?, port)),
        None if host.contains(':') => None,
        None => Some((host, port)),
    }
}

fn strip_domain(text: &str) -> String {
    let (host, port) =
        split_host_port(text).map_or((text, None), |(host, port)| (host, Some(port)));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let name = host.split('.').next().unwrap_or_default();
    port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// Each word begins with a capital.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        let is_start = !before.is_alphanumeric() && !matches!(before, '_' | '\'');
        if is_start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

fn escape_query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                out.push('%');
                let digits = [byte >> 4, byte & 15].map(|it| char::from_digit(u32::from(it), 16));
                out.extend(digits.into_iter().flatten().map(|it| it.to_ascii_uppercase()));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}

//! Numbers and `printf` as Go writes them (`strconv.FormatFloat`, package `fmt`).

use super::value::Value;

/// Wider fields and longer fractions than this are a mistake.
const MAX_WIDTH: usize = 500;

/// `%g`: with a number of significant digits, or with as many as tell the number apart.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    let Some((sign, digits, exponent)) = decompose(value, precision.map(|it| it.max(1) - 1)) else {
        return special(value);
    };
    let trimmed = digits.trim_end_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed };
    // Where nothing is said, the scientific form begins as with six digits.
    let most = precision.map_or(6, |it| i32::try_from(it.max(1)).unwrap_or(i32::MAX));
    let text = match exponent {
        -4.. if exponent < most => plain(digits, exponent),
        _ => scientific(digits, exponent),
    };
    format!("{sign}{text}")
}

/// `%e`
fn exponential(value: f64, precision: usize) -> String {
    let Some((sign, digits, exponent)) = decompose(value, Some(precision)) else {
        return special(value);
    };
    format!("{sign}{}", scientific(&digits, exponent))
}

/// `%f`
fn fixed(value: f64, precision: usize) -> String {
    if value.is_finite() { format!("{value:.precision$}") } else { special(value) }
}

fn special(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        _ => "-Inf",
    }
    .to_owned()
}

/// Sign, digits (the point comes after the first) and the power of ten.
fn decompose(value: f64, fraction: Option<usize>) -> Option<(&'static str, String, i32)> {
    if !value.is_finite() {
        return None;
    }
    let text = match fraction {
        Some(fraction) => format!("{:.fraction$e}", value.abs()),
        None => format!("{:e}", value.abs()),
    };
    let (mantissa, exponent) = text.split_once('e')?;
    let sign = if value.is_sign_negative() { "-" } else { "" };
    Some((sign, mantissa.replace('.', ""), exponent.parse().ok()?))
}

fn scientific(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", exponent.abs())
}

fn plain(digits: &str, exponent: i32) -> String {
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-1 - exponent).unwrap_or(0));
        return format!("0.{zeros}{digits}");
    }
    match digits.split_at_checked(whole) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// `printf`.
pub(super) fn printf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut arguments = arguments.iter();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (directive, after) = Directive::parse(after)?;
        rest = after;
        match directive.verb {
            '%' => out.push('%'),
            verb => match arguments.next() {
                Some(value) => out.push_str(&directive.apply(value)),
                None => out.extend(["%!", &verb.to_string(), "(MISSING)"]),
            },
        }
    }
    out.push_str(rest);
    let extra: Vec<String> = arguments.map(Value::text).collect();
    if !extra.is_empty() {
        out.extend(["%!(EXTRA ", &extra.join(", "), ")"]);
    }
    Ok(out)
}

struct Directive<'a> {
    verb: char,
    flags: &'a str,
    width: usize,
    precision: Option<usize>,
}

impl<'a> Directive<'a> {
    fn parse(text: &'a str) -> Result<(Self, &'a str), String> {
        let flags = text.len() - text.trim_start_matches(['-', '+', '0', ' ', '#']).len();
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = number(rest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => number(rest).map(|(it, rest)| (Some(it), rest))?,
            None => (None, rest),
        };
        let verb = rest.chars().next().ok_or("`%` at the end of the format")?;
        let directive = Self { verb, flags, width, precision };
        Ok((directive, rest.split_at(verb.len_utf8()).1))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn apply(&self, value: &Value) -> String {
        let text = self.text(value).unwrap_or_else(|| {
            let kind = match value {
                Value::Integer(_) => "int",
                Value::Float(_) | Value::Duration(_) => "float64",
                Value::Bool(_) => "bool",
                _ => "string",
            };
            format!("%!{}({kind}={})", self.verb, value.text())
        });
        let missing = self.width.saturating_sub(text.chars().count());
        match text.strip_prefix(['-', '+']) {
            _ if self.has('-') => format!("{text}{}", " ".repeat(missing)),
            Some(digits) if self.has('0') => {
                format!("{}{}{digits}", text.split_at(1).0, "0".repeat(missing))
            }
            None if self.has('0') => format!("{}{text}", "0".repeat(missing)),
            _ => format!("{}{text}", " ".repeat(missing)),
        }
    }

    /// `None`: the verb does not fit the value.
    fn text(&self, value: &Value) -> Option<String> {
        let text = match (self.verb, value) {
            ('d', Value::Integer(it)) => it.to_string(),
            ('x', Value::Integer(it)) => format!("{it:x}"),
            ('c', Value::Integer(it)) => {
                u32::try_from(*it).ok().and_then(char::from_u32)?.to_string()
            }
            ('t', Value::Bool(it)) => it.to_string(),
            ('q', Value::Text(it)) => format!("{it:?}"),
            ('s', Value::Text(it)) => match self.precision {
                Some(chars) => it.chars().take(chars).collect(),
                None => it.clone(),
            },
            ('s', Value::Map(_) | Value::List(_) | Value::Time(_)) => value.text(),
            ('e', Value::Float(it)) => exponential(*it, self.precision.unwrap_or(6)),
            ('f' | 'F', Value::Float(it)) => fixed(*it, self.precision.unwrap_or(6)),
            ('v' | 'g', Value::Float(it)) => general(*it, self.precision),
            ('v', value) => value.text(),
            _ => return None,
        };
        let is_number = matches!(value, Value::Float(_) | Value::Integer(_));
        let is_unsigned = is_number && !text.starts_with(['-', '+']);
        Some(match () {
            () if is_unsigned && self.has('+') => format!("+{text}"),
            () if is_unsigned && self.has(' ') => format!(" {text}"),
            () => text,
        })
    }
}

/// Leading digits as a number; none are 0.
fn number(text: &str) -> Result<(usize, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number = if digits.is_empty() { Ok(0) } else { digits.parse() };
    match number {
        Ok(number) if number <= MAX_WIDTH => Ok((number, rest)),
        _ => Err(format!("a width of {digits} is more than {MAX_WIDTH}")),
    }
}

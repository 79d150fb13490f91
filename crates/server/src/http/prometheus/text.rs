//! JSON, written straight into the answer: a thousand series are no reason for a tree of values.

use std::fmt::Write;

use barograph_model::Labels;
use barograph_promql::push_sample_value;

pub(super) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain_from..at).unwrap_or_default());
        plain_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ => write!(out, "\\u{byte:04x}").unwrap_or_default(),
        }
    }
    out.push_str(text.get(plain_from..).unwrap_or_default());
    out.push('"');
}

/// `{"name":"value",…}`
pub(super) fn push_labels(out: &mut String, labels: &Labels) {
    out.push('{');
    for (place, (name, value)) in labels.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_json_string(out, name);
        out.push(':');
        push_json_string(out, value);
    }
    out.push('}');
}

/// Seconds with milliseconds where there are any: `1435781451.781`.
pub(super) fn push_time(out: &mut String, time_ms: i64) {
    if time_ms < 0 {
        out.push('-');
    }
    let size = time_ms.unsigned_abs();
    out.push_str(itoa::Buffer::new().format(size / 1000));
    if !size.is_multiple_of(1000) {
        // Writing to a string cannot fail.
        write!(out, ".{:03}", size % 1000).unwrap_or_default();
    }
}

/// `[1435781451.781,"1"]`
pub(super) fn push_point(out: &mut String, time_ms: i64, value: f64) {
    out.push('[');
    push_time(out, time_ms);
    out.push_str(",\"");
    push_sample_value(out, value);
    out.push_str("\"]");
}

/// `["…",…]`
pub(super) fn push_strings<'a>(out: &mut String, texts: impl IntoIterator<Item = &'a str>) {
    out.push('[');
    for (place, text) in texts.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_json_string(out, text);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_the_form_of_prometheus() {
        let mut out = String::new();
        push_point(&mut out, 1_435_781_451_781, 1e6);
        push_point(&mut out, -1500, f64::NAN);
        push_point(&mut out, 60_000, 1e-7);
        push_point(&mut out, 5, f64::INFINITY);
        assert_eq!(
            out,
            "[1435781451.781,\"1000000\"][-1.500,\"NaN\"][60,\"1e-07\"][0.005,\"+Inf\"]"
        );
    }

    #[test]
    fn strings_are_valid_json() {
        for text in ["", "plain", "a\"b\\c\n\r\t\u{1}é😀", "\\", "\u{7f}"] {
            let mut out = String::new();
            push_json_string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}

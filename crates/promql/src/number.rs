//! Numbers as Go's `strconv.FormatFloat` writes them: what clients of Prometheus expect.

use std::fmt::Write;

/// Positional, with as few digits as tell the number: `1000000`, `0.1`, `+Inf`.
pub fn plain_number(value: f64) -> String {
    let mut text = String::new();
    push_plain(&mut text, value);
    text
}

/// A sample's value: as [`plain_number`], but below 1e-6 and from 1e21 on with an exponent.
pub fn push_sample_value(out: &mut String, value: f64) {
    let size = value.abs();
    let is_positional = size == 0.0 || (1e-6..1e21).contains(&size) || !value.is_finite();
    if is_positional {
        push_plain(out, value);
        return;
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    // Writing to a string cannot fail.
    write!(out, "{digits}e{sign}{exponent:0>2}").unwrap_or_default();
}

fn push_plain(out: &mut String, value: f64) {
    // Whole numbers are most of what is counted, and are written faster as such.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "what is not whole is found out")]
    let whole = value as i64;
    #[expect(clippy::float_cmp, reason = "whole or not")]
    let is_whole = whole as f64 == value && value.abs() < WHOLE;
    // Writing to a string cannot fail.
    if is_whole && (whole != 0 || value.is_sign_positive()) {
        out.push_str(itoa::Buffer::new().format(whole));
    } else if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        push_fraction(out, value, is_whole).unwrap_or_default();
    }
}

/// The fewest digits that tell the number from all others, as the standard library's, found several
/// times faster; of two texts that are equally near either may come. Numbers that would get an
/// exponent are left to the standard library.
fn push_fraction(out: &mut String, value: f64, is_whole: bool) -> std::fmt::Result {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let never_has_exponent = (1e-4..1e15).contains(&value.abs());
    if is_whole || !never_has_exponent && (text.contains('e') || value.abs() >= 1e15) {
        write!(out, "{value}")
    } else {
        out.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(bits in any::<u64>(), plain in -1e6..1e6) {
            for value in [f64::from_bits(bits), plain, plain / 1e7] {
                let expected = match value {
                    value if value.is_nan() => "NaN".to_owned(),
                    value if value == f64::INFINITY => "+Inf".to_owned(),
                    value if value == f64::NEG_INFINITY => "-Inf".to_owned(),
                    value => value.to_string(),
                };
                let found = plain_number(value);
                let is_as_good = found.len() == expected.len() && found.parse() == Ok(value);
                prop_assert!(found == expected || is_as_good, "{found}, expected {expected}");
            }
        }
    }

    #[test]
    fn sample_values_are_written_as_go_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1e6, "1000000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1.25e-7, "1.25e-07"),
            (-5e-324, "-5e-324"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            let mut out = String::new();
            push_sample_value(&mut out, value);
            assert_eq!(out, text);
        }
        assert_eq!(plain_number(1e21), "1000000000000000000000");
    }
}

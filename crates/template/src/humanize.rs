//! Numbers, times and durations for people, as Prometheus' template functions write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::format::general;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Four significant digits and a decimal prefix.
pub(super) fn decimal(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    if value.abs() >= 1.0 { enlarged(value, 1000.0, LARGE) } else { reduced(value) }
}

/// Four significant digits and a binary prefix.
pub(super) fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        four(value)
    } else {
        enlarged(value, 1024.0, BINARY)
    }
}

/// A ratio as a percentage.
pub(super) fn percentage(value: f64) -> String {
    format!("{}%", four(value * 100.0))
}

/// Seconds as days, hours, minutes and seconds.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return four(seconds);
    }
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds.abs() < 1.0 {
        return format!("{}s", reduced(seconds));
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let amount = seconds.abs();
    #[expect(clippy::cast_possible_truncation, reason = "a longer duration is cut to what fits")]
    let whole = amount as i64;
    let (s, m, h, d) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86400);
    match (d, h, m) {
        (0, 0, 0) => format!("{sign}{}s", four(amount)),
        (0, 0, _) => format!("{sign}{m}m {s}s"),
        (0, _, _) => format!("{sign}{h}h {m}m {s}s"),
        _ => format!("{sign}{d}d {h}h {m}m {s}s"),
    }
}

/// Seconds since 1970 as a time in UTC; what is no time as a number.
pub(super) fn timestamp(seconds: f64) -> String {
    match to_millis(seconds) {
        Some(ms) => time(ms),
        None => four(seconds),
    }
}

/// Seconds as milliseconds, if a calendar can hold them.
pub(super) fn to_millis(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    if !ms.is_finite() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the calendar ends before")]
    let ms = ms as i64;
    Timestamp::from_millisecond(ms).is_ok().then_some(ms)
}

/// As Go prints a time: `2026-11-22 06:20:19.5 +0000 UTC`.
pub(super) fn time(ms: i64) -> String {
    let Ok(at) = Timestamp::from_millisecond(ms) else { return ms.to_string() };
    let text = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let fraction = match ms.rem_euclid(1000) {
        0 => String::new(),
        ms => format!(".{ms:03}").trim_end_matches('0').to_owned(),
    };
    format!("{text}{fraction} +0000 UTC")
}

/// As Go prints a duration: `1h2m3.5s`.
pub(super) fn go_duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let amount = seconds.abs();
    if amount < 1.0 && amount > 0.0 {
        let (scaled, unit) = match amount {
            a if a >= 1e-3 => (a * 1e3, "ms"),
            a if a >= 1e-6 => (a * 1e6, "µs"),
            a => (a * 1e9, "ns"),
        };
        return format!("{sign}{scaled}{unit}");
    }
    let minutes = (amount / 60.0).floor();
    let rest = amount - minutes * 60.0;
    let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
    match (hours > 0.0, minutes > 0.0) {
        (true, _) => format!("{sign}{hours}h{minutes}m{rest}s"),
        (false, true) => format!("{sign}{minutes}m{rest}s"),
        (false, false) => format!("{sign}{rest}s"),
    }
}

fn four(value: f64) -> String {
    general(value, Some(4))
}

fn enlarged(mut value: f64, base: f64, prefixes: [&str; 8]) -> String {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < base {
            break;
        }
        prefix = next;
        value /= base;
    }
    format!("{}{prefix}", four(value))
}

fn reduced(mut value: f64) -> String {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    format!("{}{prefix}", four(value))
}

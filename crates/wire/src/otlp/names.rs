//! Names of OpenTelemetry in Prometheus' words: legal letters, units and kinds as suffixes.

/// Units of UCUM that have a word of their own.
const UNITS: [(&str, &str); 27] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("kBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

/// Units behind a slash.
const PER_UNITS: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// What decides a name beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Counter,
    Gauge,
    Other,
}

/// The metric's name with the suffixes that Prometheus' users expect.
pub(super) fn metric_name(name: &str, unit: &str, shape: Shape) -> String {
    let mut words = words(name);
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let mut main = unit_words(main, &UNITS);
    let mut per = unit_words(per, &PER_UNITS);
    main.retain(|word| !words.contains(word));
    if per.iter().any(|word| words.contains(word)) {
        per.clear();
    }
    words.append(&mut main);
    if !per.is_empty() {
        words.push("per".to_owned());
        words.append(&mut per);
    }
    let suffix = match shape {
        Shape::Counter => "total",
        Shape::Gauge if unit.trim() == "1" => "ratio",
        Shape::Gauge | Shape::Other => "",
    };
    if !suffix.is_empty() {
        words.retain(|word| word != suffix);
        words.push(suffix.to_owned());
    }
    let joined = words.join("_");
    if joined.starts_with(|c: char| c.is_ascii_digit()) { format!("_{joined}") } else { joined }
}

/// The parts of a text between what is no letter and no digit.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A unit in words; what stands in braces is a remark.
fn unit_words(unit: &str, table: &[(&str, &str)]) -> Vec<String> {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return Vec::new();
    }
    words(table.iter().find(|(short, _)| *short == unit).map_or(unit, |(_, word)| word))
}

/// The label's name: legal letters, and none of the names that are kept for Prometheus itself.
pub(super) fn label_name(key: &str) -> String {
    let legal: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if legal.starts_with(|c: char| c.is_ascii_digit()) {
        format!("key_{legal}")
    } else if legal.starts_with('_') && !legal.starts_with("__") {
        format!("key{legal}")
    } else {
        legal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_kinds_become_suffixes_once() {
        for (name, unit, shape, expected) in [
            (
                "http.server.request.duration",
                "s",
                Shape::Other,
                "http_server_request_duration_seconds",
            ),
            ("requests", "{request}", Shape::Counter, "requests_total"),
            ("requests_total", "", Shape::Counter, "requests_total"),
            ("total.requests", "", Shape::Counter, "requests_total"),
            ("system.memory.usage", "By", Shape::Gauge, "system_memory_usage_bytes"),
            ("memory.bytes", "By", Shape::Gauge, "memory_bytes"),
            ("speed", "m/s", Shape::Gauge, "speed_meters_per_second"),
            ("system.cpu.utilization", "1", Shape::Gauge, "system_cpu_utilization_ratio"),
            ("share", "1", Shape::Counter, "share_total"),
            ("fan", "rpm", Shape::Gauge, "fan_rpm"),
            ("load", "%", Shape::Gauge, "load_percent"),
            ("5xx", "", Shape::Gauge, "_5xx"),
            ("a__b..c", "", Shape::Gauge, "a_b_c"),
            ("job:x", "", Shape::Gauge, "job:x"),
        ] {
            assert_eq!(metric_name(name, unit, shape), expected, "{name} {unit}");
        }
    }

    #[test]
    fn labels_get_legal_names() {
        for (key, expected) in [
            ("http.method", "http_method"),
            ("5xx", "key_5xx"),
            ("_a", "key_a"),
            ("__a", "__a"),
            ("é", "key_"),
        ] {
            assert_eq!(label_name(key), expected);
        }
    }
}

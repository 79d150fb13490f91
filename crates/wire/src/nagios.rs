//! What a check prints in the convention of Nagios' plugins.
//!
//! One line of text, optionally `|` and performance data, then lines of long text, optionally `|`
//! and more performance data: <https://www.monitoring-plugins.org/doc/guidelines.html>. A plugin's
//! exit code says its status. What cannot be read is passed over and counted, since the status
//! counts in any case.

/// The answer of a check.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// The first line.
    pub text: String,
    /// The lines after it.
    pub long_text: String,
    pub values: Vec<PerfValue>,
    /// Pieces of performance data that cannot be read.
    pub unreadable: usize,
}

/// One value of the performance data, in base units: seconds and bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct PerfValue {
    pub label: String,
    pub value: f64,
    /// `seconds`, `bytes`, `percent`, `total` of a running counter, or as the plugin says.
    pub unit: String,
    /// The bound that the value must not pass: of a range the upper one, or the lower one if
    /// there is no upper.
    pub warning: Option<f64>,
    pub critical: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// Values of one check; more are passed over.
pub const MAX_VALUES: usize = 500;

/// Reads what a plugin printed. Bytes that are not UTF-8 become `U+FFFD`.
pub fn parse(printed: &[u8]) -> Output {
    let printed = String::from_utf8_lossy(printed);
    let (first, rest) = printed.trim_end().split_once('\n').unwrap_or((printed.trim_end(), ""));
    let (text, perfdata) = first.split_once('|').unwrap_or((first, ""));
    let (long_text, more) = rest.split_once('|').unwrap_or((rest, ""));
    let mut output = Output {
        text: text.trim().to_owned(),
        long_text: long_text.trim().to_owned(),
        ..Output::default()
    };
    for piece in Pieces(perfdata).chain(Pieces(more)) {
        match value(piece) {
            Some(_) if output.values.len() >= MAX_VALUES => output.unreadable += 1,
            Some(value) => output.values.push(value),
            None => output.unreadable += 1,
        }
    }
    output
}

/// `'label with spaces'=…` or `label=…`, between blanks.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        if text.is_empty() {
            return None;
        }
        let mut quoted = false;
        let end = text.find(|c: char| {
            quoted ^= c == '\'';
            c.is_whitespace() && !quoted
        });
        let (piece, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
        self.0 = rest;
        Some(piece)
    }
}

fn value(piece: &str) -> Option<PerfValue> {
    let (label, rest) = piece.rsplit_once('=')?;
    let label =
        label.strip_prefix('\'').and_then(|label| label.strip_suffix('\'')).unwrap_or(label);
    let label = label.replace("''", "'");
    if label.is_empty() {
        return None;
    }
    let mut parts = rest.split(';');
    let (number, unit) = split_number(parts.next()?);
    let value: f64 = number.replace(',', ".").parse().ok()?;
    let (unit, factor) = base_unit(unit);
    let mut bound = || parts.next().and_then(range_bound).map(|bound| bound * factor);
    Some(PerfValue {
        label,
        value: value * factor,
        unit: unit.to_owned(),
        warning: bound(),
        critical: bound(),
        min: bound(),
        max: bound(),
    })
}

fn split_number(text: &str) -> (&str, &str) {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+');
    let mut end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    // An exponent, unless the unit starts with `e`.
    let after = text.get(end..).unwrap_or_default();
    if let Some(exponent) = after.strip_prefix(['e', 'E']) {
        let digits = exponent.trim_start_matches(['+', '-']);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count > 0 {
            end += 1 + (exponent.len() - digits.len()) + count;
        }
    }
    text.split_at_checked(end).unwrap_or_default()
}

fn base_unit(unit: &str) -> (&str, f64) {
    match unit {
        "s" => ("seconds", 1.0),
        "ms" => ("seconds", 1e-3),
        "us" => ("seconds", 1e-6),
        "ns" => ("seconds", 1e-9),
        "%" => ("percent", 1.0),
        "c" => ("total", 1.0),
        "B" => ("bytes", 1.0),
        "KB" | "kB" | "KiB" => ("bytes", 1024.0),
        "MB" | "MiB" => ("bytes", 1_048_576.0),
        "GB" | "GiB" => ("bytes", 1_073_741_824.0),
        "TB" | "TiB" => ("bytes", 1_099_511_627_776.0),
        "PB" | "PiB" => ("bytes", 1_125_899_906_842_624.0),
        other => (other, 1.0),
    }
}

/// `10`, `10:20`, `~:20`, `@10:20`, `10:`.
fn range_bound(range: &str) -> Option<f64> {
    let range = range.trim_start_matches('@');
    let (low, high) = range.split_once(':').unwrap_or(("", range));
    let number = |text: &str| text.replace(',', ".").parse::<f64>().ok();
    number(high).or_else(|| number(low))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_and_values_are_read_in_base_units() {
        let output = parse(
            b"DISK OK - free space: / 3326 MB | /=2643MB;5948;5958;0;5968 'a ''b c'=12,5%;10:20;@~:30\n\
              long one\nlong two | time=0.5ms;;1 load=-1.5e-3 in=77c;100:\n",
        );
        assert_eq!(output.text, "DISK OK - free space: / 3326 MB");
        assert_eq!(output.long_text, "long one\nlong two");
        assert_eq!(output.unreadable, 0);
        let shown: Vec<_> = output
            .values
            .iter()
            .map(|v| (v.label.as_str(), v.value, v.unit.as_str(), v.warning, v.critical, v.max))
            .collect();
        let mib = 1_048_576.0;
        assert_eq!(
            shown,
            [
                (
                    "/",
                    2643.0 * mib,
                    "bytes",
                    Some(5948.0 * mib),
                    Some(5958.0 * mib),
                    Some(5968.0 * mib)
                ),
                ("a 'b c", 12.5, "percent", Some(20.0), Some(30.0), None),
                ("time", 0.5e-3, "seconds", None, Some(1e-3), None),
                ("load", -1.5e-3, "", None, None, None),
                ("in", 77.0, "total", Some(100.0), None, None),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let output = parse(b"OK | a b= =1 c=U d=1;x;y\n");
        assert_eq!((output.values.len(), output.unreadable), (1, 4));
        assert_eq!(parse(b""), Output::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_output(printed in prop::collection::vec(any::<u8>(), 0..300)) {
            parse(&printed);
        }

        #[test]
        fn almost_perfdata_is_an_output(printed in "[a|='; 0-9.e:@~%é\n-]{0,80}") {
            parse(printed.as_bytes());
        }
    }
}

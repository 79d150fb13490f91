//! Lengths of time as PromQL writes them: `1h30m`, and expressions over them.

/// Units from the longest to the shortest; in a duration each may come once, in this order.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration, as in Prometheus: 2^63 nanoseconds, about 292 years.
pub(crate) const MAX_MS: i64 = i64::MAX / 1_000_000;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("empty duration string")]
    Empty,
    #[error("not a valid duration string")]
    Syntax,
    #[error("duration out of range")]
    Range,
}

/// Milliseconds from a duration such as `1h30m`, or from `0`.
///
/// # Errors
/// Anything else.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(0),
        _ => {}
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at_checked(digits).ok_or(DurationError::Syntax)?;
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at_checked(letters).ok_or(DurationError::Syntax)?;
        if number.is_empty() {
            return Err(DurationError::Syntax);
        }
        let (_, ms) = units.find(|(name, _)| *name == unit).ok_or(DurationError::Syntax)?;
        let number: i64 = number.parse().map_err(|_| DurationError::Range)?;
        total = number
            .checked_mul(*ms)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_MS)
            .ok_or(DurationError::Range)?;
        rest = behind;
    }
    Ok(total)
}

/// A duration in its shortest form: `1h30m`, `2w`, `0s`.
pub fn format_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut rest = ms.unsigned_abs();
    let mut text = if ms < 0 { "-".to_owned() } else { String::new() };
    for (unit, size) in UNITS {
        let size = size.unsigned_abs();
        let count = rest / size;
        // Years, weeks and days stand alone or not at all: `1y2d` would be read, but `367d` is clearer.
        let only_whole = matches!(unit, "y" | "w" | "d");
        if count == 0 || (only_whole && !rest.is_multiple_of(size)) {
            continue;
        }
        text.push_str(&count.to_string());
        text.push_str(unit);
        rest -= count * size;
    }
    text
}

/// A length of time that is computed; values are seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationExpr {
    /// Seconds, as a number or as a duration.
    Number {
        seconds: f64,
        is_duration: bool,
    },
    /// The step of the question; 0 for an instant.
    Step,
    /// The range of the question; 0 for an instant.
    Range,
    Negative(Box<DurationExpr>),
    Paren(Box<DurationExpr>),
    Binary {
        op: DurationOp,
        lhs: Box<DurationExpr>,
        rhs: Box<DurationExpr>,
    },
}

/// Operators and functions over two lengths of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Min,
    Max,
}

impl DurationOp {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Min => "min_of",
            Self::Max => "max_of",
        }
    }
}

/// Why a computed length has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    #[error("division by zero")]
    DivisionByZero,
    #[error("modulo by zero")]
    ModuloByZero,
    #[error("duration out of range")]
    Range,
}

impl DurationExpr {
    /// Seconds, for a question with this step and range in milliseconds.
    ///
    /// # Errors
    /// A division by zero.
    pub(crate) fn seconds(&self, step_ms: i64, range_ms: i64) -> Result<f64, ComputeError> {
        Ok(match self {
            Self::Number { seconds, .. } => *seconds,
            Self::Step => step_ms as f64 / 1000.0,
            Self::Range => range_ms as f64 / 1000.0,
            Self::Negative(inner) => -inner.seconds(step_ms, range_ms)?,
            Self::Paren(inner) => inner.seconds(step_ms, range_ms)?,
            Self::Binary { op, lhs, rhs } => {
                let (a, b) = (lhs.seconds(step_ms, range_ms)?, rhs.seconds(step_ms, range_ms)?);
                match op {
                    DurationOp::Add => a + b,
                    DurationOp::Sub => a - b,
                    DurationOp::Mul => a * b,
                    DurationOp::Div if b == 0.0 => return Err(ComputeError::DivisionByZero),
                    DurationOp::Div => a / b,
                    DurationOp::Mod if b == 0.0 => return Err(ComputeError::ModuloByZero),
                    DurationOp::Mod => a % b,
                    DurationOp::Pow => a.powf(b),
                    DurationOp::Min => a.min(b),
                    DurationOp::Max => a.max(b),
                }
            }
        })
    }

    /// Milliseconds, for a question with this step and range in milliseconds.
    ///
    /// # Errors
    /// A division by zero, or more than Prometheus' 292 years.
    pub(crate) fn ms(&self, step_ms: i64, range_ms: i64) -> Result<i64, ComputeError> {
        seconds_to_ms(self.seconds(step_ms, range_ms)?).ok_or(ComputeError::Range)
    }

    /// Whether it has the same value whatever the question.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Self::Number { .. } => true,
            Self::Step | Self::Range => false,
            Self::Negative(inner) | Self::Paren(inner) => inner.is_fixed(),
            Self::Binary { lhs, rhs, .. } => lhs.is_fixed() && rhs.is_fixed(),
        }
    }
}

/// Whole milliseconds, if they are within Prometheus' durations.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked, the fraction dropped")]
pub(crate) fn seconds_to_ms(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    (ms.abs() <= MAX_MS as f64).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, ms) in [
            ("1h30m", 5_400_000),
            ("5m", 300_000),
            ("1w", 604_800_000),
            ("1500ms", 1500),
            ("2y", 63_072_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
        assert_eq!(format_duration(5_400_000), "1h30m");
        assert_eq!(format_duration(604_800_000), "1w");
        assert_eq!(format_duration(1500), "1s500ms");
        assert_eq!(format_duration(25 * 3_600_000), "25h");
        assert_eq!(format_duration(-60_000), "-1m");
        assert_eq!(format_duration(0), "0s");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["5", "m", "5x", "1m1h", "1m1m", "5 m", "-5m", "1.5h"] {
            assert_eq!(parse_duration(text), Err(DurationError::Syntax), "{text}");
        }
        assert_eq!(parse_duration("300y"), Err(DurationError::Range));
        assert_eq!(parse_duration("99999999999999999999s"), Err(DurationError::Range));
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
    }

    #[test]
    fn lengths_are_computed_from_the_question() {
        let double_step = DurationExpr::Binary {
            op: DurationOp::Mul,
            lhs: Box::new(DurationExpr::Step),
            rhs: Box::new(DurationExpr::Number { seconds: 2.0, is_duration: false }),
        };
        assert_eq!(double_step.ms(15_000, 0), Ok(30_000));
        assert!(!double_step.is_fixed());
    }
}

//! Numbers in few characters.

/// Bytes in powers of 1024, in at most five characters: `0`, `512`, `1.5K`, `34M`, `1023G`.
pub(super) fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];
    let mut value = value.max(0.0);
    let mut unit = 0;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit > 0 && value < 9.95 {
        format!("{value:.1}{}", UNITS[unit])
    } else {
        format!("{value:.0}{}", UNITS[unit])
    }
}

/// `3d 4:05`, `4:05`, in days, hours and minutes.
pub(super) fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    let (days, hours, minutes) =
        ((minutes / 1440.0).floor(), (minutes / 60.0).floor() % 24.0, minutes % 60.0);
    if days > 0.0 {
        format!("{days}d {hours}:{minutes:02}")
    } else {
        format!("{hours}:{minutes:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (1023.0, "1023"),
            (1023.9, "1.0K"),
            (1536.0, "1.5K"),
            (10_200.0, "10K"),
            (35_651_584.0, "34M"),
            (5e9, "4.7G"),
            (1e18, "888P"),
            (-1.0, "0"),
        ] {
            assert_eq!(bytes(value), expected);
        }
    }

    #[test]
    fn durations_have_days_when_there_are_some() {
        assert_eq!(duration(59.0), "0:00");
        assert_eq!(duration(4.0 * 3600.0 + 5.0 * 60.0), "4:05");
        assert_eq!(duration(273_900.0), "3d 4:05");
    }
}

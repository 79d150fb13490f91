//! Names of files below `/sys/class/hwmon`: `temp1_input`, `fan2_input`, `power1_average`. What
//! they hold is one whole number each, in units of the kernel's hwmon interface.

use crate::readings::SensorKind;

/// A value that a chip offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel<'a> {
    pub kind: SensorKind,
    pub number: u32,
    /// `temp1`, with which the names of all files about it begin.
    pub stem: &'a str,
    /// Whether the file holds a mean where others hold the value of now.
    pub is_average: bool,
}

const KINDS: [(&str, SensorKind); 6] = [
    ("temp", SensorKind::Temperature),
    ("fan", SensorKind::Fan),
    ("in", SensorKind::Voltage),
    ("curr", SensorKind::Current),
    ("power", SensorKind::Power),
    ("humidity", SensorKind::Humidity),
];

/// What a file's name stands for, if the file holds a measured value.
pub fn channel(file_name: &str) -> Option<Channel<'_>> {
    let (stem, what) = file_name.split_once('_')?;
    let is_average = match what {
        "input" => false,
        "average" => true,
        _ => return None,
    };
    let digits = stem.find(|c: char| c.is_ascii_digit())?;
    let (word, number) = stem.split_at(digits);
    let (_, kind) = KINDS.into_iter().find(|(prefix, _)| *prefix == word)?;
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Channel { kind, number: number.parse().ok()?, stem, is_average })
}

/// The number of a file in the unit of [`crate::readings::Sensor`].
pub fn value(kind: SensorKind, raw: i64) -> f64 {
    let per_unit = match kind {
        SensorKind::Fan => 1.0,
        SensorKind::Power => 1e6,
        SensorKind::Temperature
        | SensorKind::Voltage
        | SensorKind::Current
        | SensorKind::Humidity => 1e3,
    };
    raw as f64 / per_unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_measured_values_are_channels() {
        let expect =
            |kind, number, stem, is_average| Some(Channel { kind, number, stem, is_average });
        assert_eq!(channel("temp12_input"), expect(SensorKind::Temperature, 12, "temp12", false));
        assert_eq!(channel("in0_input"), expect(SensorKind::Voltage, 0, "in0", false));
        assert_eq!(channel("power1_average"), expect(SensorKind::Power, 1, "power1", true));
        for name in [
            "temp1_label",
            "temp_input",
            "pwm1",
            "intrusion0_alarm",
            "temp1x_input",
            "temp99999999999_input",
            "name",
            "_input",
            "",
        ] {
            assert_eq!(channel(name), None, "{name}");
        }
    }

    #[test]
    fn values_come_in_whole_units() {
        let text = |kind, raw| value(kind, raw).to_string();
        assert_eq!(text(SensorKind::Temperature, 45_500), "45.5");
        assert_eq!(text(SensorKind::Temperature, -7000), "-7");
        assert_eq!(text(SensorKind::Fan, 1180), "1180");
        assert_eq!(text(SensorKind::Power, 65_250_000), "65.25");
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic_and_a_stem_is_its_beginning(name in "(temp|fan|in|é)?[0-9]{0,12}(_(input|average)?)?.{0,3}") {
            if let Some(found) = channel(&name) {
                prop_assert!(name.starts_with(found.stem));
            }
        }
    }
}

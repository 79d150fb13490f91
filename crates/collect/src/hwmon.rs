//! Temperatures, fans, voltages and more of the machine's monitoring chips.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::HwmonReader;
use crate::readings::SensorKind;
use crate::{Collector, Error, Roots, Sink};

macro_rules! values {
    ($($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(static $desc: Desc = gauge($name, Unit::$unit, &["chip", "sensor"], $help);)*
    };
}

values! {
    TEMPERATURE "hwmon_temperature_celsius" Celsius "Temperature at a sensor.";
    CRITICAL "hwmon_temperature_critical_celsius" Celsius
        "Temperature from which on the device at a sensor is in danger, as it says itself.";
    FAN "hwmon_fan_rpm" RevolutionsPerMinute "Speed of a fan.";
    VOLTAGE "hwmon_voltage_volts" Volts "Voltage at a sensor.";
    CURRENT "hwmon_current_amperes" Amperes "Current through a sensor.";
    POWER "hwmon_power_watts" Watts "Power that a device takes; a mean where it tells no other.";
    HUMIDITY "hwmon_humidity_percent" Percent "Relative humidity at a sensor.";
}

static ALARM: Desc = gauge(
    "hwmon_alarm",
    Unit::Count,
    &["chip", "kind", "sensor"],
    "1 while a chip finds the value of a sensor out of the bounds that are set in it, else 0.",
);

/// Emits each [`crate::readings::Sensor`].
#[derive(Debug)]
pub(crate) struct HwmonCollector(HwmonReader);

impl HwmonCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(HwmonReader::new(roots))
    }
}

impl Collector for HwmonCollector {
    fn name(&self) -> &'static str {
        "hwmon"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 8] =
            [&TEMPERATURE, &CRITICAL, &FAN, &VOLTAGE, &CURRENT, &POWER, &HUMIDITY, &ALARM];
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for sensor in self.0.read()? {
            let labels = [sensor.chip.as_str(), sensor.name.as_str()];
            let desc = match sensor.kind {
                SensorKind::Temperature => &TEMPERATURE,
                SensorKind::Fan => &FAN,
                SensorKind::Voltage => &VOLTAGE,
                SensorKind::Current => &CURRENT,
                SensorKind::Power => &POWER,
                SensorKind::Humidity => &HUMIDITY,
            };
            out.push_some(desc, &labels, sensor.value);
            out.push_some(&CRITICAL, &labels, sensor.critical);
            let labels = [sensor.chip.as_str(), sensor.kind.as_str(), sensor.name.as_str()];
            out.push_some(&ALARM, &labels, sensor.alarm.map(|alarm| f64::from(u8::from(alarm))));
        }
        Ok(())
    }
}

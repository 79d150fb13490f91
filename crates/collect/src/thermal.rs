//! Temperatures, and slowing down because of them.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::ThermalReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static TEMPERATURE: Desc =
    gauge("thermal_zone_kelvin", Unit::Kelvin, &["zone"], "Temperature of a part of the machine.");
pub(crate) static PASSIVE_LIMIT: Desc = gauge(
    "thermal_zone_passive_limit_percent",
    Unit::Percent,
    &["zone"],
    "What cooling by slowing down leaves; 100 while nothing is slowed down.",
);

/// Emits each [`crate::readings::ThermalZone`].
#[derive(Debug)]
pub(crate) struct ThermalCollector(ThermalReader);

impl ThermalCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self(ThermalReader::new(roots))
    }
}

impl Collector for ThermalCollector {
    fn name(&self) -> &'static str {
        "thermal"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 2] = [&TEMPERATURE, &PASSIVE_LIMIT];
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn may_block(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        for zone in self.0.read()? {
            out.push(&TEMPERATURE, &[&zone.name], zone.kelvin);
            out.push_some(&PASSIVE_LIMIT, &[&zone.name], zone.passive_limit_percent);
        }
        Ok(())
    }
}

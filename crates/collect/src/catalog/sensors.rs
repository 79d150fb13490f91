//! `\\Thermal Zone Information`, `\\GPU Engine` and `\\GPU Adapter Memory`

use barograph_model::Unit;

use super::formula::{Formula, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::gpu::{BUSY, MEMORY_USED};
use crate::thermal::{PASSIVE_LIMIT, TEMPERATURE};

const fn zone(
    counter: &'static str,
    pdh_type: PdhType,
    unit: Unit,
    formula: Formula,
    help: &'static str,
) -> Row {
    Row {
        object: "Thermal Zone Information",
        counter,
        pdh_type,
        unit,
        help,
        instances: Instances::Each { label: "zone", total: Total::Absent },
        formula,
    }
}

const HEAT: &[Term] = &[Term::of(&TEMPERATURE)];
const GPUS: Instances = Instances::Each { label: "gpu", total: Total::Absent };

pub(super) static ROWS: [Row; 5] = [
    zone(
        "Temperature",
        PdhType::RawCount,
        Unit::Kelvin,
        Formula::level(HEAT),
        "Temperature of a part of the machine, in kelvins.",
    ),
    zone(
        "High Precision Temperature",
        PdhType::RawCount,
        Unit::Count,
        Formula::level(HEAT).times(10.0),
        "Temperature of a part of the machine, in tenths of a kelvin.",
    ),
    zone(
        "% Passive Limit",
        PdhType::RawCount,
        Unit::Percent,
        Formula::level(&[Term::of(&PASSIVE_LIMIT)]),
        "What cooling by slowing down leaves of the speed; near to the Windows counter, not equal.",
    ),
    Row {
        object: "GPU Engine",
        counter: "Utilization Percentage",
        pdh_type: PdhType::Timer,
        unit: Unit::Percent,
        help: "Share of the time in which a graphics adapter's engine worked; on Linux that of the \
               whole adapter, where its driver tells.",
        instances: GPUS,
        formula: Formula::level(&[Term::of(&BUSY)]),
    },
    Row {
        object: "GPU Adapter Memory",
        counter: "Dedicated Usage",
        pdh_type: PdhType::LargeRawCount,
        unit: Unit::Bytes,
        help: "Used part of a graphics adapter's own memory.",
        instances: GPUS,
        formula: Formula::level(&[Term::of(&MEMORY_USED)]),
    },
];

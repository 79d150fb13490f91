//! Short forms for declaring metrics. They are `static`, never `const`: a sample refers to its
//! metric by address.

use barograph_model::{Desc, Kind, Unit};

pub(crate) const fn gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Desc {
    Desc { name, kind: Kind::Gauge, unit, help, labels }
}

pub(crate) const fn counter(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Desc {
    Desc { name, kind: Kind::Counter, unit, help, labels }
}

//! One counter.

use barograph_model::{Desc, Unit};

use super::formula::{Formula, Term};
use crate::cpu_details::NODE;

/// A counter: what it is called, what it means, and how it comes out of stored metrics.
#[derive(Debug)]
pub struct Row {
    pub object: &'static str,
    pub counter: &'static str,
    pub pdh_type: PdhType,
    /// Of the cooked value.
    pub unit: Unit,
    /// One sentence for people.
    pub help: &'static str,
    pub instances: Instances,
    pub formula: Formula,
}

impl Row {
    pub const fn kind(&self) -> CounterKind {
        self.pdh_type.kind()
    }

    /// The metrics that go into it and into the names and total of its instances.
    pub fn descs(&self) -> impl Iterator<Item = &'static Desc> {
        let (of_total, of_names) = match self.instances {
            Instances::Each { total: Total::RateOf(sum), .. } => (sum, None),
            Instances::OfNodes { .. } => (&[][..], Some(&NODE)),
            _ => (&[][..], None),
        };
        self.formula.descs().chain(of_total.iter().map(|term| term.desc)).chain(of_names)
    }

    /// The path with `*` for all instances, and with `_Total` where there is nothing else.
    pub fn path(&self) -> String {
        let instance = match self.instances {
            Instances::None => "",
            Instances::Each { .. } | Instances::OfNodes { .. } | Instances::Processes { .. } => {
                "(*)"
            }
            Instances::OnlyTotal => "(_Total)",
        };
        format!("\\{}{instance}\\{}", self.object, self.counter)
    }
}

/// What an object's instances are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// The object exists once.
    None,
    /// The values of a label.
    Each { label: &'static str, total: Total },
    /// The values of the label `cpu`, each as the number of its node, a comma and its index there,
    /// as Windows names them; with `_Total` for each node and for all.
    OfNodes { total: Total },
    /// The processes by name, in the order of their numbers; or by name, colon and number.
    Processes { with_pid: bool },
    /// The system counts for all instances together and not for each.
    OnlyTotal,
}

impl Instances {
    /// Whether there can be several, each with a name.
    pub fn are_named(self) -> bool {
        !matches!(self, Self::None | Self::OnlyTotal)
    }

    /// The label whose values are the instances, and what `_Total` is.
    pub fn label(self) -> Option<(&'static str, Total)> {
        match self {
            Self::None | Self::OnlyTotal | Self::Processes { .. } => None,
            Self::Each { label, total } => Some((label, total)),
            Self::OfNodes { total } => Some(("cpu", total)),
        }
    }
}

/// What the instance `_Total` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// The object has none.
    Absent,
    /// The formula over the sums of what goes into it. Instances that begin with one of
    /// `without` are left out.
    OfSums { without: &'static [&'static str] },
    /// The mean of the instances' values.
    Mean { without: &'static [&'static str] },
    /// The increase per second of what the system counts for all together.
    RateOf(&'static [Term]),
}

impl Total {
    pub(super) fn without(self) -> &'static [&'static str] {
        match self {
            Self::Absent | Self::RateOf(_) => &[],
            Self::OfSums { without } | Self::Mean { without } => without,
        }
    }
}

/// What a counter's values are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterKind {
    Gauge,
    Rate,
    Percent,
    Average,
    Elapsed,
}

impl CounterKind {
    /// The word of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Percent => "percent",
            Self::Average => "average",
            Self::Elapsed => "elapsed",
        }
    }
}

/// How Windows cooks the counter, by the constant of its header files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PdhType {
    /// `PERF_COUNTER_RAWCOUNT`
    RawCount,
    /// `PERF_COUNTER_LARGE_RAWCOUNT`
    LargeRawCount,
    /// `PERF_COUNTER_COUNTER`
    Counter,
    /// `PERF_COUNTER_BULK_COUNT`
    BulkCount,
    /// `PERF_100NSEC_TIMER`
    Timer,
    /// `PERF_100NSEC_TIMER_INV`
    InverseTimer,
    /// `PERF_PRECISION_100NS_TIMER`
    PrecisionTimer,
    /// `PERF_AVERAGE_TIMER`
    AverageTimer,
    /// `PERF_AVERAGE_BULK`
    AverageBulk,
    /// `PERF_COUNTER_100NS_QUEUELEN_TYPE`
    QueueLength,
    /// `PERF_RAW_FRACTION`
    RawFraction,
    /// `PERF_ELAPSED_TIME`
    ElapsedTime,
}

impl PdhType {
    /// The value that `PdhGetCounterInfo` gives.
    pub const fn code(self) -> u32 {
        match self {
            Self::RawCount => 0x0001_0000,
            Self::LargeRawCount => 0x0001_0100,
            Self::Counter => 0x1041_0400,
            Self::BulkCount => 0x1041_0500,
            Self::Timer => 0x2051_0500,
            Self::InverseTimer => 0x2151_0500,
            Self::PrecisionTimer => 0x2057_0500,
            Self::AverageTimer => 0x3002_0400,
            Self::AverageBulk => 0x4002_0500,
            Self::QueueLength => 0x0055_0500,
            Self::RawFraction => 0x2002_0400,
            Self::ElapsedTime => 0x3024_0500,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::RawCount => "PERF_COUNTER_RAWCOUNT",
            Self::LargeRawCount => "PERF_COUNTER_LARGE_RAWCOUNT",
            Self::Counter => "PERF_COUNTER_COUNTER",
            Self::BulkCount => "PERF_COUNTER_BULK_COUNT",
            Self::Timer => "PERF_100NSEC_TIMER",
            Self::InverseTimer => "PERF_100NSEC_TIMER_INV",
            Self::PrecisionTimer => "PERF_PRECISION_100NS_TIMER",
            Self::AverageTimer => "PERF_AVERAGE_TIMER",
            Self::AverageBulk => "PERF_AVERAGE_BULK",
            Self::QueueLength => "PERF_COUNTER_100NS_QUEUELEN_TYPE",
            Self::RawFraction => "PERF_RAW_FRACTION",
            Self::ElapsedTime => "PERF_ELAPSED_TIME",
        }
    }

    pub const fn kind(self) -> CounterKind {
        match self {
            Self::RawCount | Self::LargeRawCount => CounterKind::Gauge,
            Self::Counter | Self::BulkCount => CounterKind::Rate,
            Self::Timer | Self::InverseTimer | Self::PrecisionTimer | Self::RawFraction => {
                CounterKind::Percent
            }
            Self::AverageTimer | Self::AverageBulk | Self::QueueLength => CounterKind::Average,
            Self::ElapsedTime => CounterKind::Elapsed,
        }
    }
}

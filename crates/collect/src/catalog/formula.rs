//! How a counter's value comes out of stored metrics. The set is closed and small, so that each
//! form can be both computed and printed as PromQL.

use barograph_model::Desc;

use crate::process::ProcessCounter;

/// `offset + scale × value`, within the clamp.
#[derive(Debug, Clone, Copy)]
pub struct Formula {
    pub value: Value,
    pub scale: f64,
    pub offset: f64,
    pub clamp: Clamp,
}

/// The forms of a value. Each list of terms is a sum.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// As it stands now.
    Level(&'static [Term]),
    /// Increase per second.
    Rate(&'static [Term]),
    /// One level by another; nothing when the whole is zero.
    LevelShare { part: &'static [Term], whole: &'static [Term] },
    /// One increase by another; nothing when the whole did not grow: no events, no average.
    RateShare { part: &'static [Term], whole: &'static [Term] },
    /// One increase by another, times one level by another: time at less than full speed.
    WeightedShare {
        part: &'static [Term],
        whole: &'static [Term],
        weight: &'static [Term],
        full: &'static [Term],
    },
    /// Of each process, as it is read; nothing of it is stored.
    OfProcess(ProcessCounter),
    /// Only Windows' own counters tell it; why other systems do not.
    OnlyWindows { why: &'static str },
}

/// A metric that goes into a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub desc: &'static Desc,
    /// Only the series that have one of these values of this label; they are added up.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// Labels that are added up although all their values count.
    pub over: &'static [&'static str],
    pub sign: Sign,
    /// Where the system lacks it, it counts as nothing. Never the first term.
    pub optional: bool,
}

/// Whether a term is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
}

/// The bounds of a value, where Windows has them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clamp {
    None,
    NotNegative,
    Percent,
}

impl Value {
    /// All sums that it is made of; the first names the instances.
    pub fn sums(&self) -> impl Iterator<Item = &'static [Term]> {
        let sums = match *self {
            Self::Level(sum) | Self::Rate(sum) => [Some(sum), None, None, None],
            Self::LevelShare { part, whole } | Self::RateShare { part, whole } => {
                [Some(part), Some(whole), None, None]
            }
            Self::WeightedShare { part, whole, weight, full } => {
                [Some(part), Some(whole), Some(weight), Some(full)]
            }
            Self::OfProcess(_) | Self::OnlyWindows { .. } => [None; 4],
        };
        sums.into_iter().flatten()
    }

    /// Whether it takes two readings.
    pub fn needs_two(&self) -> bool {
        match self {
            Self::Level(_) | Self::LevelShare { .. } => false,
            Self::OfProcess(counter) => counter.needs_two(),
            _ => true,
        }
    }
}

impl Formula {
    const fn plain(value: Value) -> Self {
        Self { value, scale: 1.0, offset: 0.0, clamp: Clamp::None }
    }

    pub(super) const fn level(sum: &'static [Term]) -> Self {
        Self::plain(Value::Level(sum))
    }

    pub(super) const fn of_process(counter: ProcessCounter) -> Self {
        Self::plain(Value::OfProcess(counter))
    }

    pub(super) const fn rate(sum: &'static [Term]) -> Self {
        Self::plain(Value::Rate(sum))
    }

    pub(super) const fn average(part: &'static [Term], whole: &'static [Term]) -> Self {
        Self::plain(Value::RateShare { part, whole })
    }

    pub(super) const fn percent_of_levels(part: &'static [Term], whole: &'static [Term]) -> Self {
        Self::plain(Value::LevelShare { part, whole }).times(100.0)
    }

    pub(super) const fn percent_of_increases(
        part: &'static [Term],
        whole: &'static [Term],
    ) -> Self {
        Self::average(part, whole).times(100.0)
    }

    pub(super) const fn weighted(
        part: &'static [Term],
        whole: &'static [Term],
        weight: &'static [Term],
        full: &'static [Term],
    ) -> Self {
        Self::plain(Value::WeightedShare { part, whole, weight, full })
    }

    /// What only Windows tells.
    pub(crate) const fn only_windows(why: &'static str) -> Self {
        Self::plain(Value::OnlyWindows { why })
    }

    pub(super) const fn times(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    pub(super) const fn plus(self, offset: f64) -> Self {
        Self { offset, ..self }
    }

    pub(super) const fn clamped(self, clamp: Clamp) -> Self {
        Self { clamp, ..self }
    }

    /// The metrics that go into it.
    pub fn descs(&self) -> impl Iterator<Item = &'static Desc> {
        self.value.sums().flatten().map(|term| term.desc)
    }
}

impl Term {
    pub(super) const fn of(desc: &'static Desc) -> Self {
        Self { desc, only: None, over: &[], sign: Sign::Plus, optional: false }
    }

    pub(super) const fn less(desc: &'static Desc) -> Self {
        Self { sign: Sign::Minus, ..Self::of(desc) }
    }

    pub(super) const fn if_there(desc: &'static Desc) -> Self {
        Self { optional: true, ..Self::of(desc) }
    }

    /// Whether several series of one instance are added up.
    pub(super) const fn adds_up(&self) -> bool {
        self.only.is_some() || !self.over.is_empty()
    }
}

impl Clamp {
    pub(super) fn apply(self, value: f64) -> f64 {
        match self {
            Self::None => value,
            Self::NotNegative => value.max(0.0),
            Self::Percent => value.clamp(0.0, 100.0),
        }
    }
}

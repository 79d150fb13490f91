//! Which files a question is answered from: raw samples, or a tier's buckets.

use std::collections::{BTreeMap, BTreeSet};

use barograph_model::Windows;

use crate::partition::PartitionState;
use crate::select::{Question, Warning};
use crate::source::Source;
use crate::span::Span;
use crate::stats::count;
use crate::sync::read;
use crate::tiers::{Tier, TierFile};

/// Stretches of time in order, both ends included.
pub(crate) type Stretches = Vec<(i64, i64)>;

/// What a source is read for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Use {
    Samples,
    /// The buckets in these stretches.
    Buckets(Stretches),
    /// As before, but only the last sample of each: the others have expired.
    LastOfBuckets(Stretches),
}

/// The files of an answer, those of one partition oldest first.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
    pub(crate) uses: Vec<Use>,
    /// The names of their partitions.
    pub(crate) partitions: Vec<String>,
    pub(crate) warnings: Vec<Warning>,
}

/// The tiers whose buckets lie within or outside of each window as a whole, coarsest first.
fn fitting(windows: Windows) -> impl Iterator<Item = Tier> {
    let Windows { first_ms, step_ms, range_ms, .. } = windows;
    Tier::ROLLED_UP.into_iter().rev().filter(move |tier| {
        [first_ms, step_ms, range_ms].iter().all(|time| time % tier.width_ms() == 0)
    })
}

impl Question<'_> {
    /// With windows, buckets where they fit and there are any; else samples.
    pub(crate) fn plan(&self, windows: Option<Windows>) -> Plan {
        let mut plan = Plan::default();
        let mut buckets: BTreeMap<(Tier, Span, bool), (TierFile, Stretches)> = BTreeMap::new();
        for span in self.spans() {
            let partition = read(&self.shared.partitions).get(&span).cloned();
            let state = partition.as_ref().map_or(PartitionState::Empty, |p| p.state());
            let found = self.tier_for(span, state, windows);
            if let Some((tier, file, whole)) = found {
                let key = (tier, file.partition.span, whole);
                let (_, stretches) = buckets.entry(key).or_insert_with(|| (file, Vec::new()));
                match stretches.last_mut() {
                    Some(last) if last.1 + 1 == span.start_ms => last.1 = span.end_ms - 1,
                    _ => stretches.push((span.start_ms, span.end_ms - 1)),
                }
            } else if let Some(partition) = partition {
                for source in self.sources(&partition, &mut plan.warnings) {
                    plan.push(source, Use::Samples, span.name());
                }
            }
        }
        for ((tier, span, whole), (file, stretches)) in buckets {
            let name = format!("{} ({})", span.name(), tier.name());
            for source in self.sources(&file.partition, &mut plan.warnings) {
                let buckets = if whole { Use::Buckets } else { Use::LastOfBuckets };
                plan.push(source, buckets(stretches.clone()), name.clone());
            }
        }
        self.warn_of_unreadable(&mut plan);
        plan
    }

    /// The partitions of raw samples that there are in the range, or were.
    pub(crate) fn spans(&self) -> BTreeSet<Span> {
        let mut spans: BTreeSet<Span> =
            self.partitions().iter().map(|partition| partition.span).collect();
        for tier in &self.shared.tiers {
            for file in tier.overlapping(self.range_ms) {
                let covers = file.covers.iter().map(|cover| cover.span);
                let wanted = |span: &Span| span.overlaps(self.range_ms.0, self.range_ms.1);
                spans.extend(covers.filter(wanted));
            }
        }
        spans
    }

    /// The tier's file to read a partition from, and whether whole buckets are wanted.
    fn tier_for(
        &self,
        span: Span,
        state: PartitionState,
        windows: Option<Windows>,
    ) -> Option<(Tier, TierFile, bool)> {
        let covering = |tier: Tier| {
            let files = self.shared.tiers.iter().find(|files| files.tier == tier)?;
            let (file, uuid) = files.covering(span)?;
            let is_of_it = state == PartitionState::Empty || state == PartitionState::Final(uuid);
            is_of_it.then_some(file)
        };
        let mut fitting = windows.into_iter().flat_map(fitting);
        let whole = fitting.find_map(|tier| Some((tier, covering(tier)?, true)));
        if whole.is_some() || state != PartitionState::Empty {
            return whole;
        }
        Tier::ROLLED_UP.into_iter().find_map(|tier| Some((tier, covering(tier)?, false)))
    }

    fn warn_of_unreadable(&self, plan: &mut Plan) {
        for tier in &self.shared.tiers {
            for file in tier.overlapping(self.range_ms) {
                if let Some(problem) = &file.problem {
                    count(&self.shared.counters.damaged_partitions, 1);
                    let partition =
                        format!("{} ({})", file.partition.span.name(), tier.tier.name());
                    let message = format!("a file cannot be read: {problem}");
                    plan.warnings.push(Warning { partition, message });
                }
            }
        }
        let first = plan.uses.iter().position(|wanted| matches!(wanted, Use::LastOfBuckets(_)));
        if let Some(first) = first {
            plan.warnings.push(Warning {
                partition: plan.partitions[first].clone(),
                message: "raw samples have expired; the answer has the last one of each bucket"
                    .to_owned(),
            });
        }
    }
}

impl Plan {
    fn push(&mut self, source: Source, wanted: Use, partition: String) {
        self.sources.push(source);
        self.uses.push(wanted);
        self.partitions.push(partition);
    }

    /// Whether any buckets are to be read whole.
    pub(crate) fn has_buckets(&self) -> bool {
        self.uses.iter().any(|wanted| matches!(wanted, Use::Buckets(_)))
    }
}

/// Whether a time is in one of the stretches.
pub(crate) fn is_within(stretches: &[(i64, i64)], time: i64) -> bool {
    let next = stretches.partition_point(|stretch| stretch.1 < time);
    stretches.get(next).is_some_and(|stretch| stretch.0 <= time)
}

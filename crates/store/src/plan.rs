//! Which files a question is answered from: raw samples, or a tier's buckets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use barograph_model::Windows;

use crate::partition::PartitionState;
use crate::select::{EXPIRED, Question, Warning};
use crate::source::Source;
use crate::span::Span;
use crate::stats::count;
use crate::sync::read;
use crate::tiers::{Tier, TierFile};

/// A stretch of time, both ends included, for the series that none of some other sources has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) range_ms: (i64, i64),
    /// Indexes of sources in which series were left out when their time was over.
    pub(crate) unless_in: Vec<u32>,
}

/// What a source is read for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Use {
    Samples,
    /// The buckets in these stretches, which lie in or out of each window as a whole.
    Buckets(Vec<Stretch>),
    /// As before, but they reach over the edges of windows or steps: the samples have expired.
    EdgyBuckets(Vec<Stretch>),
    /// The last sample of each bucket: the others have expired.
    LastOfBuckets(Vec<Stretch>),
}

impl Use {
    /// Whether the answer is not what it would be from samples.
    pub(crate) fn is_second_best(&self) -> bool {
        matches!(self, Self::EdgyBuckets(_) | Self::LastOfBuckets(_))
    }
}

/// What samples are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// As they are.
    Samples,
    Windows(Windows),
    /// For steps of a chart, from buckets where samples have expired; with a length also where
    /// the buckets lie in one step of that length each.
    Steps(Option<i64>),
}

/// Which file of the store, for people. Most answers have nothing to say of any, so names are made
/// when there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    span: Span,
    /// `None`: samples.
    tier: Option<Tier>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.span.name())?;
        self.tier.map_or(Ok(()), |tier| write!(f, " ({})", tier.name()))
    }
}

/// The files of an answer, those of one partition oldest first.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
    pub(crate) uses: Vec<Use>,
    pub(crate) places: Vec<Place>,
    /// What is to be said when something is read from them.
    pub(crate) notes: Vec<Option<String>>,
    pub(crate) warnings: Vec<Warning>,
}

/// In which way a tier's file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Whole,
    Edgy,
    Steps,
    Last,
}

/// Where the samples of a partition can be read.
enum Candidate {
    Raw { is_reduced: bool },
    Tier { tier: Tier, file: TierFile, how: How },
}

impl Candidate {
    /// Whether series can be missing that others still have.
    fn is_reduced(&self) -> bool {
        match self {
            Self::Raw { is_reduced } => *is_reduced,
            Self::Tier { file, .. } => {
                matches!(file.partition.state(), PartitionState::Reduced(_))
            }
        }
    }
}

/// A tier's file in one way of reading.
type Key = (Tier, Span, How);

/// A stretch of a tier's file, for the series that none of these has.
struct Wanted {
    range_ms: (i64, i64),
    unless_in: Vec<u32>,
    unless_in_tiers: Vec<Key>,
}

impl Wish {
    /// The tiers whose buckets lie within or outside of each window as a whole, coarsest first.
    fn fitting(self) -> impl Iterator<Item = Tier> {
        Tier::ROLLED_UP.into_iter().rev().filter(move |tier| {
            let is_whole = |time: &i64| time % tier.width_ms() == 0;
            match self {
                Self::Samples | Self::Steps(None) => false,
                Self::Steps(Some(step_ms)) => is_whole(&step_ms),
                Self::Windows(Windows { first_ms, step_ms, range_ms, .. }) => {
                    [first_ms, step_ms, range_ms].iter().all(is_whole)
                }
            }
        })
    }

    /// In which way a tier is read of which samples have expired; `None`: not at all.
    fn how(self, tier: Tier) -> Option<How> {
        if self.fitting().any(|fits| fits == tier) {
            return Some(How::Whole);
        }
        match self {
            Self::Samples => Some(How::Last),
            Self::Steps(_) => Some(How::Steps),
            Self::Windows(windows) => (windows.range_ms >= tier.width_ms()).then_some(How::Edgy),
        }
    }
}

impl Question<'_> {
    /// With windows, buckets where they fit and there are any; else samples.
    pub(crate) fn plan(&self, wish: Wish) -> Plan {
        let mut plan = Plan::default();
        let mut buckets: BTreeMap<Key, (TierFile, Vec<Wanted>)> = BTreeMap::new();
        for span in self.spans() {
            let partition = read(&self.shared.partitions).get(&span).cloned();
            let state = partition.as_ref().map_or(PartitionState::Empty, |p| p.state());
            let (mut unless_in, mut unless_in_tiers) = (Vec::new(), Vec::new());
            for candidate in self.candidates(span, state, wish, &mut plan.warnings) {
                let is_reduced = candidate.is_reduced();
                match candidate {
                    Candidate::Raw { .. } => {
                        let Some(partition) = &partition else { continue };
                        for source in self.sources(partition, &mut plan.warnings) {
                            let place = Place { span, tier: None };
                            unless_in.push(plan.push(source, Use::Samples, place, None));
                        }
                    }
                    Candidate::Tier { tier, file, how } => {
                        let key = (tier, file.partition.span, how);
                        let (_, wanted) = buckets.entry(key).or_insert_with(|| (file, Vec::new()));
                        add(wanted, span, &unless_in, &unless_in_tiers);
                        unless_in_tiers.push(key);
                    }
                }
                if !is_reduced {
                    break;
                }
            }
        }
        self.add_tiers(buckets, wish, &mut plan);
        self.warn_of_unreadable(&mut plan);
        plan
    }

    fn add_tiers(
        &self,
        buckets: BTreeMap<Key, (TierFile, Vec<Wanted>)>,
        wish: Wish,
        plan: &mut Plan,
    ) {
        let mut indexes: BTreeMap<Key, u32> = BTreeMap::new();
        let mut found = Vec::new();
        for (key, (file, wanted)) in buckets {
            let (tier, span, how) = key;
            let place = Place { span, tier: Some(tier) };
            for source in self.sources(&file.partition, &mut plan.warnings) {
                let index = plan.push(source, Use::Samples, place, note(tier, how, wish));
                indexes.insert(key, index);
            }
            found.push((key, wanted));
        }
        for (key, wanted) in found {
            let Some(index) = indexes.get(&key) else { continue };
            let stretch = |mut wanted: Wanted| {
                let tiers = wanted.unless_in_tiers.iter().filter_map(|key| indexes.get(key));
                wanted.unless_in.extend(tiers);
                Stretch { range_ms: wanted.range_ms, unless_in: wanted.unless_in }
            };
            let stretches = wanted.into_iter().map(stretch).collect();
            plan.uses[*index as usize] = match key.2 {
                How::Whole => Use::Buckets(stretches),
                How::Edgy | How::Steps => Use::EdgyBuckets(stretches),
                How::Last => Use::LastOfBuckets(stretches),
            };
        }
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

    /// Where to read a partition, the best first: each series from the first one that has it.
    fn candidates(
        &self,
        span: Span,
        state: PartitionState,
        wish: Wish,
        warnings: &mut Vec<Warning>,
    ) -> Vec<Candidate> {
        let covering = |tier: Tier| {
            let files = self.shared.tiers.iter().find(|files| files.tier == tier)?;
            let (file, uuid) = files.covering(span)?;
            let is_of_it = state == PartitionState::Empty || state.uuid() == Some(uuid);
            is_of_it.then_some(file)
        };
        let mut found = Vec::new();
        let best = wish.fitting().find_map(|tier| Some((tier, covering(tier)?)));
        let best_tier = best.as_ref().map(|(tier, _)| *tier);
        found.extend(best.map(|(tier, file)| Candidate::Tier { tier, file, how: How::Whole }));
        if state != PartitionState::Empty {
            let is_reduced = matches!(state, PartitionState::Reduced(_));
            found.push(Candidate::Raw { is_reduced });
        }
        let mut too_wide = None;
        for tier in Tier::ROLLED_UP.into_iter().filter(|tier| Some(*tier) != best_tier) {
            let Some(file) = covering(tier) else { continue };
            let Some(how) = wish.how(tier) else {
                too_wide = too_wide.or(Some(tier));
                continue;
            };
            found.push(Candidate::Tier { tier, file, how });
        }
        if let Some(tier) = too_wide.filter(|_| found.is_empty()) {
            let message = format!(
                "{EXPIRED}, and the buckets of {} that are left are longer than the \
                 query's windows, so there is no answer; use windows of {0} or more",
                tier.name()
            );
            warnings.push(Warning { partition: span.name(), message });
        }
        found
    }

    fn warn_of_unreadable(&self, plan: &mut Plan) {
        for tier in &self.shared.tiers {
            for file in tier.overlapping(self.range_ms) {
                if let Some(problem) = &file.problem {
                    count(&self.shared.counters.damaged_partitions, 1);
                    let place = Place { span: file.partition.span, tier: Some(tier.tier) };
                    let partition = place.to_string();
                    let message = format!("a file cannot be read: {problem}");
                    plan.warnings.push(Warning { partition, message });
                }
            }
        }
    }
}

/// Adds a partition to what is wanted of a tier's file.
fn add(wanted: &mut Vec<Wanted>, span: Span, unless_in: &[u32], unless_in_tiers: &[Key]) {
    let is_for_all = unless_in.is_empty() && unless_in_tiers.is_empty();
    match wanted.last_mut() {
        Some(last)
            if is_for_all
                && last.unless_in.is_empty()
                && last.unless_in_tiers.is_empty()
                && last.range_ms.1 + 1 == span.start_ms =>
        {
            last.range_ms.1 = span.end_ms - 1;
        }
        _ => wanted.push(Wanted {
            range_ms: (span.start_ms, span.end_ms - 1),
            unless_in: unless_in.to_vec(),
            unless_in_tiers: unless_in_tiers.to_vec(),
        }),
    }
}

/// What people should know when something was read in this way.
fn note(tier: Tier, how: How, wish: Wish) -> Option<String> {
    let tier = tier.name();
    let said = match (how, wish) {
        (How::Whole, _) => return None,
        (How::Edgy, Wish::Windows(windows)) => format!(
            "windows of {} s in steps of {} s are not made of whole buckets of {tier}: each bucket \
             counts where its last sample is",
            windows.range_ms / 1000,
            windows.step_ms / 1000,
        ),
        (How::Edgy | How::Steps, _) => format!("averages and extremes are those of each {tier}"),
        (How::Last, _) => {
            return Some(format!("{EXPIRED}; the answer has the last one of each {tier}"));
        }
    };
    Some(format!("{EXPIRED}, and {said}"))
}

impl Plan {
    /// Adds a source; gives its index.
    #[expect(clippy::cast_possible_truncation, reason = "there are some files per partition")]
    fn push(&mut self, source: Source, wanted: Use, place: Place, note: Option<String>) -> u32 {
        self.sources.push(source);
        self.uses.push(wanted);
        self.places.push(place);
        self.notes.push(note);
        self.sources.len() as u32 - 1
    }

    /// Whether any buckets are to be read whole.
    pub(crate) fn has_buckets(&self) -> bool {
        self.uses.iter().any(|wanted| matches!(wanted, Use::Buckets(_) | Use::EdgyBuckets(_)))
    }
}

/// Whether a time is in one of the stretches that are for a series with these places.
pub(crate) fn is_within(stretches: &[Stretch], places: &[(u32, u32)], time: i64) -> bool {
    let next = stretches.partition_point(|stretch| stretch.range_ms.1 < time);
    stretches.get(next).is_some_and(|Stretch { range_ms, unless_in }| {
        range_ms.0 <= time && !places.iter().any(|(source, _)| unless_in.contains(source))
    })
}

//! Samples of one series, put together from where they are.

use std::ops::Range;
use std::sync::Arc;

use barograph_model::{Samples, is_stale};

use crate::block_cache::Values;
use crate::columns;

/// A part of a chunk that is kept decoded.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) times: Arc<[i64]>,
    pub(crate) values: Arc<Values>,
    pub(crate) within: Range<usize>,
}

/// What was found so far, oldest first: parts, then samples that are kept nowhere. A lone part is
/// never copied.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    parts: Vec<Part>,
    samples: Samples,
    /// A constant, written out.
    constant: Vec<f64>,
    joined: Joined,
}

impl Gathered {
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        columns::clear(&mut self.samples);
    }

    pub(crate) fn add(&mut self, part: Part) {
        if part.within.is_empty() {
            return;
        }
        if self.samples.times.is_empty() {
            self.parts.push(part);
        } else {
            part.append_to(&mut self.samples);
        }
    }

    /// For appending.
    pub(crate) fn samples(&mut self) -> &mut Samples {
        &mut self.samples
    }

    pub(crate) fn into_samples(mut self) -> Samples {
        self.flatten();
        self.samples
    }

    pub(crate) fn append(&mut self, newer: &Samples) {
        columns::append(&mut self.samples, newer);
    }

    /// Puts all in order; of several samples at one time the last stays. Parts are in order and in
    /// the range.
    pub(crate) fn finish(&mut self, range_ms: (i64, i64)) {
        if !self.parts.is_empty() && !self.follow_each_other() {
            self.flatten();
        }
        if self.parts.is_empty() {
            columns::normalise(&mut self.samples);
        }
        columns::clip(&mut self.samples, range_ms);
        if !self.has_lone_part() && !self.parts.is_empty() {
            self.joined.join(&self.parts, &self.samples);
        }
    }

    fn has_lone_part(&self) -> bool {
        self.parts.len() == 1 && self.samples.times.is_empty()
    }

    /// Whether nothing has to be put in order: no late samples.
    fn follow_each_other(&self) -> bool {
        let parts = self.parts.iter().map(Part::times);
        let newest = (!self.samples.times.is_empty()).then_some(&self.samples.times[..]);
        let mut before = None;
        let follows = |times: &[i64]| {
            let is_later = times.first().copied() > before;
            before = times.last().copied();
            is_later
        };
        parts.chain(newest).all(follows) && self.samples.times.is_sorted_by(|a, b| a < b)
    }

    /// Copies parts to the front of the samples.
    fn flatten(&mut self) {
        if self.parts.is_empty() {
            return;
        }
        let newest = std::mem::take(&mut self.samples);
        for part in self.parts.drain(..) {
            part.append_to(&mut self.samples);
        }
        columns::append(&mut self.samples, &newest);
    }

    pub(crate) fn len(&self) -> usize {
        let parts: usize = self.parts.iter().map(|part| part.within.len()).sum();
        parts + self.samples.times.len()
    }

    /// What [`Gathered::finish`] put in order.
    pub(crate) fn columns(&mut self) -> barograph_model::Columns<'_> {
        if self.parts.is_empty() {
            return (&self.samples).into();
        }
        if !self.has_lone_part() {
            return self.joined.columns();
        }
        let Part { times, values, within } = &self.parts[0];
        let plain = match &**values {
            Values::Constant(value) => {
                let is_other = |known: &f64| known.to_bits() != value.to_bits();
                if self.constant.first().is_none_or(is_other) {
                    self.constant.clear();
                }
                self.constant.resize(self.constant.len().max(within.len()), *value);
                &self.constant[..within.len()]
            }
            Values::Plain { values, .. } => &values[within.clone()],
        };
        barograph_model::Columns {
            times: &times[within.clone()],
            values: plain,
            shared: Some((times, within.start)),
            may_end: values.may_end(),
            may_fall: values.may_fall(),
        }
    }
}

/// Several parts as one. Series that were sampled together have the same times in all of their
/// parts: those are joined once.
#[derive(Debug, Default)]
struct Joined {
    /// Where the times are from.
    from: Vec<(Arc<[i64]>, Range<usize>)>,
    times: Arc<[i64]>,
    values: Vec<f64>,
    may_end: bool,
    may_fall: bool,
}

impl Joined {
    fn join(&mut self, parts: &[Part], newest: &Samples) {
        self.values.clear();
        (self.may_end, self.may_fall) = (false, false);
        for part in parts {
            self.may_fall |= part.values.may_fall() || self.falls_to(part.first());
            self.may_end |= part.values.may_end();
            part.append_values_to(&mut self.values);
        }
        let mut falls = newest.values.iter().zip(newest.values.iter().skip(1));
        self.may_fall |= newest.values.first().is_some_and(|first| self.falls_to(*first))
            || falls.any(|(last, next)| next < last);
        self.may_end |= newest.values.iter().any(|value| is_stale(*value));
        self.values.extend_from_slice(&newest.values);
        if !self.has_times_of(parts, &newest.times) {
            self.from.clear();
            self.from.extend(parts.iter().map(|p| (Arc::clone(&p.times), p.within.clone())));
            let parts = parts.iter().flat_map(Part::times);
            self.times = parts.chain(&newest.times).copied().collect();
        }
    }

    fn falls_to(&self, next: f64) -> bool {
        self.values.last().is_some_and(|last| next < *last)
    }

    fn has_times_of(&self, parts: &[Part], newest: &[i64]) -> bool {
        let are = |((times, within), part): (&(Arc<[i64]>, Range<usize>), &Part)| {
            Arc::ptr_eq(times, &part.times) && *within == part.within
        };
        self.times.len() == self.values.len()
            && self.from.len() == parts.len()
            && self.from.iter().zip(parts).all(are)
            && self.times.ends_with(newest)
    }

    fn columns(&self) -> barograph_model::Columns<'_> {
        barograph_model::Columns {
            times: &self.times,
            values: &self.values,
            shared: Some((&self.times, 0)),
            may_end: self.may_end,
            may_fall: self.may_fall,
        }
    }
}

impl From<Samples> for Gathered {
    fn from(samples: Samples) -> Self {
        Self { samples, ..Self::default() }
    }
}

impl Part {
    fn times(&self) -> &[i64] {
        &self.times[self.within.clone()]
    }

    fn first(&self) -> f64 {
        match &*self.values {
            Values::Constant(value) => *value,
            Values::Plain { values, .. } => values[self.within.start],
        }
    }

    fn append_to(&self, samples: &mut Samples) {
        samples.times.extend_from_slice(self.times());
        self.append_values_to(&mut samples.values);
    }

    fn append_values_to(&self, out: &mut Vec<f64>) {
        match &*self.values {
            Values::Constant(value) => out.resize(out.len() + self.within.len(), *value),
            Values::Plain { values, .. } => out.extend_from_slice(&values[self.within.clone()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Room;

    fn part(times: &[i64], values: &[f64], within: Range<usize>) -> Part {
        let room = Arc::new(Room::new(1 << 20));
        let place = room.take(size_of_val(values)).unwrap();
        let values = Values::new(values.to_vec(), place);
        Part { times: times.into(), values: Arc::new(values), within }
    }

    #[test]
    fn a_lone_part_is_seen_where_it_lies() {
        let mut gathered = Gathered::default();
        gathered.add(part(&[1, 2, 3, 4], &[4.0, 5.0, 7.0, 6.0], 1..3));
        gathered.add(part(&[9], &[9.0], 0..0));
        gathered.append(&Samples::default());
        gathered.finish((2, 3));
        let columns = gathered.columns();
        assert_eq!((columns.times, columns.values), (&[2, 3][..], &[5.0, 7.0][..]));
        assert_eq!(columns.shared.map(|(_, start)| start), Some(1));
        assert!(columns.may_fall && !columns.may_end);
    }

    #[test]
    fn constants_are_written_out_when_they_are_seen() {
        let mut gathered = Gathered::default();
        for (value, len) in [(1.0, 3), (2.0, 2), (2.0, 4), (-0.0, 1), (0.0, 2)] {
            gathered.clear();
            gathered.add(part(&[1, 2, 3, 4], &[value; 4], 0..len));
            let columns = gathered.columns();
            let bits: Vec<u64> = columns.values.iter().map(|value| value.to_bits()).collect();
            assert_eq!(bits, vec![f64::to_bits(value); len]);
            assert!(!columns.may_fall && !columns.may_end);
        }
    }

    /// What a reader sees of parts and newest samples, and of the same put in order by copying.
    fn both_ways(parts: &[(&[i64], &[f64])], newest: (&[i64], &[f64])) -> [Samples; 2] {
        let newest = Samples { times: newest.0.to_vec(), values: newest.1.to_vec() };
        let (mut gathered, mut copied) = (Gathered::default(), Gathered::default());
        for (times, values) in parts {
            gathered.add(part(times, values, 0..times.len()));
            let columns = Samples { times: times.to_vec(), values: values.to_vec() };
            copied.append(&columns);
        }
        [&mut gathered, &mut copied].map(|one| {
            one.append(&newest);
            one.finish((0, 100));
            let columns = one.columns();
            Samples { times: columns.times.to_vec(), values: columns.values.to_vec() }
        })
    }

    #[test]
    fn parts_that_follow_each_other_are_joined_and_others_put_in_order() {
        let one: (&[i64], &[f64]) = (&[1, 2], &[1.0, 2.0]);
        let two: (&[i64], &[f64]) = (&[3, 7], &[3.0, 3.0]);
        let none: (&[i64], &[f64]) = (&[], &[]);
        for (parts, newest) in [
            (vec![one, two], none),
            (vec![two, one], none),
            (vec![one], (&[5, 200][..], &[5.0, 200.0][..])),
            (vec![one, two], (&[2, 9][..], &[20.0, 9.0][..])),
            (vec![one, two], (&[9, 8][..], &[9.0, 8.0][..])),
            (vec![one, one, two], none),
        ] {
            let [seen, copied] = both_ways(&parts, newest);
            assert_eq!(seen, copied, "{parts:?} {newest:?}");
        }
    }

    #[test]
    fn series_that_were_sampled_together_share_their_joined_times() {
        let mut gathered = Gathered::default();
        let times: [Arc<[i64]>; 2] = [[1, 2].into(), [3, 4].into()];
        let mut seen: Vec<(Arc<[i64]>, bool, bool)> = Vec::new();
        let newest = |value| Samples { times: vec![5, 101], values: vec![value, 0.0] };
        for (first, value) in [(1.0, 6.0), (9.0, 9.0), (1.0, barograph_model::STALE)] {
            gathered.clear();
            for (times, values) in times.iter().zip([[first, 2.0], [2.0, 5.0]]) {
                let mut part = part(&[], &values, 0..2);
                part.times = Arc::clone(times);
                gathered.add(part);
            }
            gathered.append(&newest(value));
            gathered.finish((1, 100));
            let columns = gathered.columns();
            assert_eq!(columns.times, [1, 2, 3, 4, 5]);
            assert_eq!(columns.values[..4], [first, 2.0, 2.0, 5.0]);
            let (shared, start) = columns.shared.unwrap();
            assert_eq!(start, 0);
            seen.push((Arc::clone(shared), columns.may_fall, columns.may_end));
        }
        assert!(seen.iter().all(|(times, ..)| Arc::ptr_eq(times, &seen[0].0)));
        let facts: Vec<_> = seen.iter().map(|(_, fall, end)| (*fall, *end)).collect();
        assert_eq!(facts, [(false, false), (true, false), (false, true)]);
        gathered.clear();
        gathered.add(part(&[1, 2], &[1.0, 2.0], 0..2));
        gathered.append(&newest(3.0));
        gathered.finish((1, 100));
        assert_eq!(gathered.columns().times, [1, 2, 5]);
    }

    #[test]
    fn several_parts_become_one() {
        let mut gathered = Gathered::default();
        gathered.add(part(&[1, 2], &[1.0, 2.0], 0..2));
        gathered.add(part(&[2, 5], &[7.0, 7.0], 0..2));
        gathered.append(&Samples { times: vec![3], values: vec![3.0] });
        gathered.finish((2, 4));
        let columns = gathered.columns();
        assert_eq!((columns.times, columns.values), (&[2, 3][..], &[7.0, 3.0][..]));
        assert!(columns.shared.is_none());
    }
}

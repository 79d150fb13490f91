//! Samples of one series, put together from where they are.

use std::ops::Range;
use std::sync::Arc;

use barograph_model::Samples;

use crate::block_cache::Values;
use crate::columns;

/// A part of a chunk that is kept decoded.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) times: Arc<[i64]>,
    pub(crate) values: Arc<Values>,
    pub(crate) within: Range<usize>,
}

/// What was found so far. It is copied only when there are several parts.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    lone: Option<Part>,
    /// A constant, written out.
    constant: Vec<f64>,
    samples: Samples,
}

impl Gathered {
    pub(crate) fn clear(&mut self) {
        self.lone = None;
        columns::clear(&mut self.samples);
    }

    pub(crate) fn add(&mut self, part: Part) {
        if part.within.is_empty() {
            return;
        }
        if self.lone.is_none() && self.samples.times.is_empty() {
            self.lone = Some(part);
        } else {
            let samples = self.samples();
            part.append_to(samples);
        }
    }

    /// For appending.
    pub(crate) fn samples(&mut self) -> &mut Samples {
        if let Some(part) = self.lone.take() {
            part.append_to(&mut self.samples);
        }
        &mut self.samples
    }

    pub(crate) fn append(&mut self, newer: &Samples) {
        if !newer.times.is_empty() {
            columns::append(self.samples(), newer);
        }
    }

    /// Puts all in order; of several samples at one time the last stays. A lone part is in order
    /// and in the range.
    pub(crate) fn finish(&mut self, range_ms: (i64, i64)) {
        if self.lone.is_none() {
            columns::normalise(&mut self.samples);
            columns::clip(&mut self.samples, range_ms);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lone.as_ref().map_or(self.samples.times.len(), |part| part.within.len())
    }

    pub(crate) fn columns(&mut self) -> barograph_model::Columns<'_> {
        let Some(Part { times, values, within }) = &self.lone else {
            return (&self.samples).into();
        };
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

impl From<Samples> for Gathered {
    fn from(samples: Samples) -> Self {
        Self { samples, ..Self::default() }
    }
}

impl Part {
    fn append_to(&self, samples: &mut Samples) {
        let Self { times, values, within } = self;
        samples.times.extend_from_slice(&times[within.clone()]);
        match &**values {
            Values::Constant(value) => {
                samples.values.resize(samples.values.len() + within.len(), *value);
            }
            Values::Plain { values, .. } => {
                samples.values.extend_from_slice(&values[within.clone()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Room;

    fn part(times: &[i64], values: &[f64], within: Range<usize>) -> Part {
        let room = Arc::new(Room::new(1 << 20));
        let values = Values::new(values.to_vec(), &room).unwrap();
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

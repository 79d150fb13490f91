//! One series on its way into steps: samples one by one, and buckets of what has expired.

use barograph_model::Buckets;

use super::Step;
use crate::point::{Point, holds_for_ms};

/// What a series comes to in one step, of buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) place: usize,
    pub(super) step: Step,
}

/// Takes a series' samples and buckets in order of time.
#[derive(Debug)]
pub(super) struct SeriesSteps {
    pub(super) rate: bool,
    /// Where the first step begins, and how long each is, in milliseconds.
    pub(super) steps: (i64, i64),
    /// The last point, for the next rate.
    pub(super) before: Option<Point>,
    /// What buckets came to, in order of their places.
    pub(super) cells: Vec<Cell>,
}

impl SeriesSteps {
    /// The value of the moment, or its rate; nothing where that is not a number.
    pub(super) fn take_sample(&mut self, now: Point) -> Option<Point> {
        let value = if self.rate {
            self.before.and_then(|before| now.rate_since(before))
        } else {
            Some(now.value)
        };
        self.before = value_or_break(now);
        let value = value.filter(|value| value.is_finite())?;
        Some(Point { time_ms: now.time_ms, value })
    }

    /// Adds a bucket to all steps that it reaches over.
    pub(super) fn take_bucket(&mut self, buckets: &Buckets, index: usize) {
        let weight = buckets.count[index] as f64;
        let value = if self.rate {
            self.rate_of(buckets, index).map(|rate| (rate, rate))
        } else {
            Some((buckets.sum[index] / weight, buckets.max[index]))
        };
        let last = Point { time_ms: buckets.last_times[index], value: buckets.last[index] };
        self.before = value_or_break(last);
        let Some((avg, max)) = value.filter(|(avg, max)| avg.is_finite() && max.is_finite()) else {
            return;
        };
        let places = self.places(buckets, index);
        let weight = weight / places.len().max(1) as f64;
        for place in places {
            let step = Step { weight, sum: avg * weight, max };
            match self.cells.last_mut() {
                Some(cell) if cell.place == place => cell.step.add(step),
                _ => self.cells.push(Cell { place, step }),
            }
        }
    }

    /// Per second, since the point before where that is near, else since the bucket's own first.
    fn rate_of(&self, buckets: &Buckets, index: usize) -> Option<f64> {
        let first = Point { time_ms: buckets.first_times[index], value: buckets.first[index] };
        let last_ms = buckets.last_times[index];
        let within = buckets.last[index] - first.value + buckets.lost[index];
        let before = self.before.and_then(|before| {
            let elapsed_s = (first.time_ms - before.time_ms) as f64 / 1000.0;
            Some((before.time_ms, first.rate_since(before)? * elapsed_s))
        });
        let (from_ms, to_first) = before.unwrap_or((first.time_ms, 0.0));
        (last_ms > from_ms).then(|| (to_first + within) * 1000.0 / (last_ms - from_ms) as f64)
    }

    /// The steps that a bucket reaches over. Its last moment is its own, a step's is the next one's.
    fn places(&self, buckets: &Buckets, index: usize) -> std::ops::Range<usize> {
        let (from_ms, step_ms) = self.steps;
        let (first_ms, last_ms) = (buckets.first_times[index], buckets.last_times[index]);
        let place = |time_ms: i64| (time_ms - from_ms).div_euclid(step_ms);
        let end_ms = first_ms.max(last_ms - 1);
        let mut last = place(end_ms);
        let gaps = i64::try_from(buckets.count[index]).unwrap_or(i64::MAX) - 1;
        if gaps > 0 && step_ms < (last_ms - first_ms) / gaps {
            // A step without a sample is no gap yet; but it ends where the next bucket begins.
            let held_ms = end_ms.saturating_add(holds_for_ms((last_ms - first_ms) / gaps));
            let next_ms = buckets.first_times.get(index + 1).map_or(held_ms, |next| next - 1);
            last = last.max(place(held_ms.min(next_ms)));
        }
        let bound = |place: i64| usize::try_from(place).unwrap_or(0);
        bound(place(first_ms))..bound(last + 1)
    }
}

/// A source that said "not a number" has ended here: no rate reaches over it.
fn value_or_break(point: Point) -> Option<Point> {
    Some(point).filter(|point| !point.value.is_nan())
}

//! Aggregations to one value for each group, which take series in any order and keep none.

use barograph_model::Labels;

use crate::ast::AggregateOp;
use crate::frame::{Frame, Line, absent_column};
use crate::grid::{ABSENT, is_absent};
use crate::kahan::{Kahan, Mean};

/// What the groups come to so far.
#[derive(Debug)]
pub(crate) struct Totals {
    op: AggregateOp,
    points: usize,
    groups: Vec<Option<Group>>,
}

#[derive(Debug)]
struct Group {
    drop_name: bool,
    total: Total,
}

#[derive(Debug)]
enum Total {
    Sum {
        sums: Vec<f64>,
        rests: Vec<f64>,
    },
    Mean(Vec<Mean>),
    /// Counts, smallest, largest, or ones.
    Value(Vec<f64>),
    Spread(Vec<Spread>),
}

/// Welford's running variance.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    /// Chan's way to join two.
    fn merge(&mut self, other: Self) {
        if other.count < 0.5 {
            return;
        }
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        self.mean += delta * other.count / count;
        self.squares += other.squares + delta * delta * self.count * other.count / count;
        self.count = count;
    }
}

impl Totals {
    /// Of `groups` groups, none of which has anything yet.
    pub(crate) fn new(op: AggregateOp, groups: usize, points: usize) -> Self {
        Self { op, points, groups: std::iter::repeat_with(|| None).take(groups).collect() }
    }

    /// Adds a series to a group.
    pub(crate) fn add(&mut self, group: usize, drop_name: bool, column: &[f64]) {
        let (op, points) = (self.op, self.points);
        let Some(slot) = self.groups.get_mut(group) else { return };
        let group = slot.get_or_insert_with(|| Group { drop_name, total: Total::new(op, points) });
        group.drop_name |= drop_name;
        match &mut group.total {
            Total::Sum { sums, rests } => add_sums(sums, rests, column),
            Total::Mean(means) => add_each(means, column, Mean::add),
            Total::Spread(spreads) => add_each(spreads, column, Spread::add),
            Total::Value(values) => match op {
                AggregateOp::Count => {
                    combine(values, column, |_| 1.0, |known, _| known + 1.0);
                }
                AggregateOp::Min => combine(values, column, |new| new, f64::min),
                AggregateOp::Max => combine(values, column, |new| new, f64::max),
                _ => combine(values, column, |_| 1.0, |known, _| known),
            },
        }
    }

    /// Joins what was found elsewhere for the same groups.
    pub(crate) fn merge(&mut self, other: Self) {
        let op = self.op;
        for (slot, other) in self.groups.iter_mut().zip(other.groups) {
            let Some(other) = other else { continue };
            let Some(group) = slot else {
                *slot = Some(other);
                continue;
            };
            group.drop_name |= other.drop_name;
            match (&mut group.total, other.total) {
                (Total::Sum { sums, rests }, Total::Sum { sums: more, rests: more_rests }) => {
                    add_sums(sums, rests, &more);
                    for (rest, more) in rests.iter_mut().zip(more_rests) {
                        *rest += more;
                    }
                }
                (Total::Mean(means), Total::Mean(more)) => {
                    means.iter_mut().zip(more).for_each(|(mean, more)| mean.merge(more));
                }
                (Total::Spread(spreads), Total::Spread(more)) => {
                    spreads.iter_mut().zip(more).for_each(|(spread, more)| spread.merge(more));
                }
                (Total::Value(values), Total::Value(more)) => {
                    let join = match op {
                        AggregateOp::Count => |a: f64, b: f64| a + b,
                        AggregateOp::Min => f64::min,
                        AggregateOp::Max => f64::max,
                        _ => |a: f64, _: f64| a,
                    };
                    combine(values, &more, |new| new, join);
                }
                _ => {}
            }
        }
    }

    /// One line for each group that has anything.
    pub(crate) fn frame(self, labels: Vec<Labels>) -> Frame {
        let op = self.op;
        let lines = self.groups.into_iter().zip(labels).filter_map(|(group, labels)| {
            let Group { drop_name, total } = group?;
            Some(Line { labels, drop_name, values: total.values(op) })
        });
        let mut frame = Frame::new(lines.collect());
        frame.prune();
        frame
    }
}

impl Total {
    fn new(op: AggregateOp, points: usize) -> Self {
        match op {
            AggregateOp::Sum => Self::Sum { sums: absent_column(points), rests: vec![0.0; points] },
            AggregateOp::Avg => Self::Mean(vec![Mean::default(); points]),
            AggregateOp::Stddev | AggregateOp::Stdvar => {
                Self::Spread(vec![Spread::default(); points])
            }
            _ => Self::Value(absent_column(points)),
        }
    }

    fn values(self, op: AggregateOp) -> Vec<f64> {
        match self {
            Self::Value(values) => values,
            Self::Sum { mut sums, rests } => {
                for (sum, rest) in sums.iter_mut().zip(rests) {
                    if !is_absent(*sum) {
                        *sum = Kahan { sum: *sum, rest }.total();
                    }
                }
                sums
            }
            Self::Mean(means) => means
                .into_iter()
                .map(|mean| if mean.is_empty() { ABSENT } else { mean.total() })
                .collect(),
            Self::Spread(spreads) => spreads
                .into_iter()
                .map(|Spread { count, squares, .. }| match op {
                    _ if count < 0.5 => ABSENT,
                    AggregateOp::Stddev => (squares / count).sqrt(),
                    _ => squares / count,
                })
                .collect(),
        }
    }
}

fn add_sums(sums: &mut [f64], rests: &mut [f64], column: &[f64]) {
    for ((sum, rest), value) in sums.iter_mut().zip(rests).zip(column) {
        if is_absent(*value) {
            continue;
        }
        if is_absent(*sum) {
            *sum = *value;
            continue;
        }
        let mut total = Kahan { sum: *sum, rest: *rest };
        total.add(*value);
        (*sum, *rest) = (total.sum, total.rest);
    }
}

fn add_each<T>(totals: &mut [T], column: &[f64], add: impl Fn(&mut T, f64)) {
    for (total, value) in totals.iter_mut().zip(column) {
        if !is_absent(*value) {
            add(total, *value);
        }
    }
}

fn combine(
    values: &mut [f64],
    column: &[f64],
    first: impl Fn(f64) -> f64,
    next: impl Fn(f64, f64) -> f64,
) {
    for (known, new) in values.iter_mut().zip(column) {
        if !is_absent(*new) {
            *known = if is_absent(*known) { first(*new) } else { next(*known, *new) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(op: AggregateOp, series: &[&[f64]], split: usize) -> Vec<f64> {
        let mut first = Totals::new(op, 1, series[0].len());
        let mut second = Totals::new(op, 1, series[0].len());
        for (index, series) in series.iter().enumerate() {
            if index < split { &mut first } else { &mut second }.add(0, false, series);
        }
        first.merge(second);
        first.frame(vec![Labels::new::<&str, &str>([]).unwrap()]).lines.remove(0).values
    }

    #[test]
    fn splitting_the_series_does_not_change_the_result() {
        let series: [&[f64]; 4] =
            [&[1.0, ABSENT, 3.0], &[4.0, ABSENT, -1.0], &[7.0, 2.0, 0.5], &[2.0, ABSENT, 9.0]];
        for op in [
            AggregateOp::Sum,
            AggregateOp::Avg,
            AggregateOp::Count,
            AggregateOp::Min,
            AggregateOp::Max,
            AggregateOp::Group,
            AggregateOp::Stddev,
        ] {
            let whole = column(op, &series, 4);
            for split in 0..4 {
                for (a, b) in column(op, &series, split).iter().zip(&whole) {
                    assert!((a - b).abs() < 1e-12, "{op:?} split at {split}: {a} is not {b}");
                }
            }
        }
    }

    #[test]
    fn extremes_pass_over_not_a_number() {
        assert_eq!(column(AggregateOp::Max, &[&[f64::NAN], &[1.0], &[3.0]], 2), [3.0]);
        assert!(column(AggregateOp::Sum, &[&[f64::NAN], &[1.0]], 1)[0].is_nan());
    }
}

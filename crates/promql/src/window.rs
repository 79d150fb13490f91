//! Functions of the samples in a range, for all steps of one series at once. Windows only move
//! forward, so most functions touch each sample a few times in all and not once for each step.

mod bounds;
mod buckets;
pub(crate) mod cost;
mod extended;
mod rate;
mod regression;
mod scan;
mod slide;

use barograph_model::{Columns, Samples, is_stale};

pub(crate) use bounds::Bounds;
pub(crate) use buckets::{has_buckets, over_buckets};
pub(crate) use extended::{Reach, over_extended, smoothed};
pub(crate) use scan::quantile;

use crate::grid::{ABSENT, Grid, seconds};
use crate::plan::{RangeFn, Shift};

/// The window of each step: `(end - range_ms, end]`, where `end` is the step's time, shifted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub grid: Grid,
    pub range_ms: i64,
    pub shift: Shift,
}

impl Span {
    pub(crate) fn end(&self, point: usize) -> i64 {
        self.shift.apply(self.grid.time(point))
    }

    /// After the first and up to the second, milliseconds since 1970-01-01 UTC.
    fn window(&self, point: usize) -> (i64, i64) {
        let end = self.end(point);
        (end.saturating_sub(self.range_ms), end)
    }

    /// Calls for each point with the samples `lo..hi` that are in its window.
    pub(crate) fn each(&self, times: &[i64], mut call: impl FnMut(usize, usize, usize)) {
        let (mut lo, mut hi) = (0, 0);
        for point in 0..self.grid.points {
            let (start, end) = self.window(point);
            while times.get(lo).is_some_and(|time| *time <= start) {
                lo += 1;
            }
            hi = hi.max(lo);
            while times.get(hi).is_some_and(|time| *time <= end) {
                hi += 1;
            }
            call(point, lo, hi);
        }
    }

    /// Whether so many samples are in so many windows that sliding is worth its overhead.
    fn overlaps(&self, samples: usize) -> bool {
        self.shift.at_ms.is_none()
            && self.grid.points > 4
            && samples > 16
            && self.range_ms > self.grid.step_ms.saturating_mul(8)
    }
}

/// A function with its parameters, one value for each point.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub func: RangeFn,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Kernel {
    fn first(&self, point: usize) -> f64 {
        self.first.get(point).copied().unwrap_or(f64::NAN)
    }

    fn second(&self, point: usize) -> f64 {
        self.second.get(point).copied().unwrap_or(f64::NAN)
    }
}

/// Replaces `out` by the function's value at each point, from samples without stale markers.
pub(crate) fn over_samples(
    kernel: &Kernel,
    samples: Columns<'_>,
    bounds: &mut Bounds,
    out: &mut Vec<f64>,
) {
    let span = bounds.span;
    out.clear();
    out.resize(span.grid.points, ABSENT);
    let Columns { times, values, .. } = samples;
    if times.is_empty() {
        return;
    }
    bounds.fit(&samples);
    if rate::is_extrapolated(kernel.func) {
        bounds.fit_edges(kernel.func, times);
    }
    let bounds = &*bounds;
    let plain = Plain { values, bounds };
    match kernel.func {
        RangeFn::Rate | RangeFn::Increase | RangeFn::Delta => {
            rate::extrapolated(kernel.func, samples, bounds, out);
        }
        RangeFn::Irate | RangeFn::Idelta => rate::last_two(kernel.func, samples, bounds, out),
        RangeFn::Changes => rate::count_pairs(values, bounds, out, rate::differ),
        RangeFn::Resets => rate::count_pairs(values, bounds, out, |last, next| next < last),
        RangeFn::Count => plain.each(out, |_, lo, hi| (hi - lo) as f64),
        RangeFn::Present => plain.each(out, |_, _, _| 1.0),
        RangeFn::First => plain.each(out, |_, lo, _| at(values, lo)),
        RangeFn::Last => plain.each(out, |_, _, hi| at(values, hi - 1)),
        RangeFn::TimeOfFirst => plain.each(out, |_, lo, _| time_at(times, lo)),
        RangeFn::TimeOfLast => plain.each(out, |_, _, hi| time_at(times, hi - 1)),
        RangeFn::Sum | RangeFn::Avg if span.overlaps(times.len()) => {
            slide::sums(kernel.func, values, bounds, out);
        }
        RangeFn::Min | RangeFn::Max if span.overlaps(times.len()) => {
            slide::extremes(kernel.func, values, bounds, out);
        }
        RangeFn::Quantile if span.overlaps(times.len()) => {
            slide::quantiles(&kernel.first, values, bounds, out);
        }
        RangeFn::Sum => plain.slices(out, |_, window| scan::sum(window)),
        RangeFn::Avg => plain.slices(out, |_, window| scan::mean(window)),
        RangeFn::Min => plain.slices(out, |_, window| scan::min(window)),
        RangeFn::Max => plain.slices(out, |_, window| scan::max(window)),
        RangeFn::Stdvar => plain.slices(out, |_, window| scan::variance(window)),
        RangeFn::Stddev => plain.slices(out, |_, window| scan::variance(window).sqrt()),
        RangeFn::Quantile => {
            let mut room = Vec::new();
            plain.slices(out, |point, window| quantile(kernel.first(point), window, &mut room));
        }
        RangeFn::Mad => {
            let (mut room, mut distances) = (Vec::new(), Vec::new());
            plain.slices(out, |_, window| scan::mad(window, &mut room, &mut distances));
        }
        RangeFn::TimeOfMax => plain.each(out, |_, lo, hi| {
            time_at(times, lo + scan::last_where(slice(values, lo, hi), |new, best| new >= best))
        }),
        RangeFn::TimeOfMin => plain.each(out, |_, lo, hi| {
            time_at(times, lo + scan::last_where(slice(values, lo, hi), |new, best| new <= best))
        }),
        RangeFn::Smooth => plain.slices(out, |point, window| {
            regression::smooth(window, kernel.first(point), kernel.second(point))
        }),
        RangeFn::Deriv => plain
            .each(out, |_, lo, hi| regression::slope(slice(times, lo, hi), slice(values, lo, hi))),
        RangeFn::Integral => plain.each(out, |point, lo, hi| {
            let rule = kernel.first.get(point).copied();
            regression::integral(slice(times, lo, hi), slice(values, lo, hi), rule)
        }),
        RangeFn::PredictLinear => plain.each(out, |point, lo, hi| {
            let (times, values) = (slice(times, lo, hi), slice(values, lo, hi));
            regression::predict(times, values, span.grid.time(point), kernel.first(point))
        }),
    }
}

/// A series whose windows are looked at one by one.
struct Plain<'a> {
    values: &'a [f64],
    bounds: &'a Bounds,
}

impl Plain<'_> {
    /// Calls for each window that has samples.
    fn each(&self, out: &mut [f64], mut value: impl FnMut(usize, usize, usize) -> f64) {
        self.bounds.each(|point, lo, hi| {
            if lo < hi
                && let Some(out) = out.get_mut(point)
            {
                *out = value(point, lo, hi);
            }
        });
    }

    fn slices(&self, out: &mut [f64], mut value: impl FnMut(usize, &[f64]) -> f64) {
        self.each(out, |point, lo, hi| value(point, slice(self.values, lo, hi)));
    }
}

fn slice<T>(values: &[T], lo: usize, hi: usize) -> &[T] {
    values.get(lo..hi).unwrap_or_default()
}

fn at(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().unwrap_or(ABSENT)
}

fn time_at(times: &[i64], index: usize) -> f64 {
    times.get(index).map_or(ABSENT, |time| seconds(*time))
}

/// Replaces `out` by the newest sample of the last `range_ms` at each point, or by its time in
/// seconds. Stale markers are among the samples and end a series.
pub(crate) fn newest(samples: Columns<'_>, bounds: &mut Bounds, as_time: bool, out: &mut Vec<f64>) {
    out.clear();
    out.resize(bounds.span.grid.points, ABSENT);
    let Columns { times, values, .. } = samples;
    bounds.fit(&samples);
    Plain { values, bounds }.each(out, |_, _, hi| {
        let value = at(values, hi - 1);
        if as_time && !crate::grid::is_absent(value) { time_at(times, hi - 1) } else { value }
    });
}

/// The samples without stale markers; copied to `room` when there are any.
pub(crate) fn without_stale<'a>(samples: Columns<'a>, room: &'a mut Samples) -> Columns<'a> {
    let Columns { times, values, may_end, .. } = samples;
    if !may_end || !values.iter().any(|value| is_stale(*value)) {
        return samples;
    }
    let there = || times.iter().zip(values).filter(|(_, value)| !is_stale(**value));
    room.times.clear();
    room.times.extend(there().map(|(time, _)| *time));
    room.values.clear();
    room.values.extend(there().map(|(_, value)| *value));
    Columns::from(&*room)
}

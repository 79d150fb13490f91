//! Which samples are in which window: found once for all series with the same times.

use std::sync::Arc;

use barograph_model::Columns;

use super::rate::Edge;
use super::{Span, slice};
use crate::plan::RangeFn;

/// The windows over the times of the series that was fitted last.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(super) span: Span,
    /// For each point the samples `lo..hi` that are in its window.
    windows: Vec<(usize, usize)>,
    /// For rates; empty until they are needed.
    edges: Vec<Edge>,
    times: Times,
}

#[derive(Debug)]
enum Times {
    /// A part of what several series share: what is held on to is not another's soon.
    Shared {
        whole: Arc<[i64]>,
        start: usize,
        len: usize,
    },
    Own(Vec<i64>),
}

impl Bounds {
    pub(crate) fn new(span: Span) -> Self {
        let (windows, edges) = (Vec::new(), Vec::new());
        Self { span, windows, edges, times: Times::Own(Vec::new()) }
    }

    /// Finds the windows over a series' times, unless they are the ones that are known.
    pub(crate) fn fit(&mut self, columns: &Columns<'_>) {
        let times = columns.times;
        if !self.windows.is_empty() && self.times.are(columns) {
            return;
        }
        self.windows.clear();
        self.edges.clear();
        let windows = &mut self.windows;
        if self.span.grid.points == 1 {
            let (start, end) = self.span.window(0);
            let lo = times.partition_point(|time| *time <= start);
            windows.push((lo, times.partition_point(|time| *time <= end).max(lo)));
        } else {
            self.span.each(times, |_, lo, hi| windows.push((lo, hi)));
        }
        self.times.keep(columns);
    }

    /// Calls for each point with the samples `lo..hi` that are in its window.
    pub(super) fn each(&self, mut call: impl FnMut(usize, usize, usize)) {
        for (point, (lo, hi)) in self.windows.iter().enumerate() {
            call(point, *lo, *hi);
        }
    }

    /// Finds out what the times alone say about rates, which is the same for all series. A question
    /// has one function.
    pub(super) fn fit_edges(&mut self, func: RangeFn, times: &[i64]) {
        if self.edges.is_empty() {
            let span = &self.span;
            let edge = |(point, (lo, hi)): (usize, &(usize, usize))| {
                Edge::of(func, slice(times, *lo, *hi), span, point)
            };
            self.edges.extend(self.windows.iter().enumerate().map(edge));
        }
    }

    /// The windows in order of their points.
    pub(super) fn with_edges(&self) -> impl Iterator<Item = ((usize, usize), &Edge)> {
        self.windows.iter().copied().zip(&self.edges)
    }
}

impl Times {
    fn are(&self, columns: &Columns<'_>) -> bool {
        match (self, columns.shared) {
            (Self::Shared { whole, start, len }, Some((other, other_start))) => {
                Arc::ptr_eq(whole, other) && (*start, *len) == (other_start, columns.times.len())
            }
            (Self::Own(own), None) => own == columns.times,
            _ => false,
        }
    }

    fn keep(&mut self, columns: &Columns<'_>) {
        let len = columns.times.len();
        match (&mut *self, columns.shared) {
            (_, Some((whole, start))) => {
                *self = Self::Shared { whole: Arc::clone(whole), start, len };
            }
            (Self::Own(own), None) => {
                own.clear();
                own.extend_from_slice(columns.times);
            }
            (Self::Shared { .. }, None) => *self = Self::Own(columns.times.to_vec()),
        }
    }
}

//! Cells that are drawn into.

use std::fmt::Write as _;

use super::super::answer::Point;
use super::super::scale::Scale;

/// Dots of a cell, across and down.
const ACROSS: usize = 2;
const DOWN: usize = 4;

/// The part of a chart between the axes.
#[derive(Debug)]
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    /// The Braille dots of each cell, row by row.
    dots: Vec<u8>,
    /// The series whose mark stands in a cell.
    marks: Vec<Option<usize>>,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        let cells = columns * rows;
        Self { columns, rows, dots: vec![0; cells], marks: vec![None; cells] }
    }

    /// A line through the points; a hole where there are none for a while.
    pub(super) fn line(&mut self, points: &[Point], span: (i64, i64), scale: &Scale) {
        let (width, height) = (self.columns * ACROSS, self.rows * DOWN);
        let gap_ms = usual_gap(points).saturating_mul(2);
        let mut last: Option<(i64, usize, usize)> = None;
        for point in points.iter().filter(|point| point.value.is_finite()) {
            let x = across(point.time_ms, span, width);
            let y = down(scale.place(point.value), height);
            let from = match last {
                Some((time_ms, x0, y0)) if point.time_ms - time_ms <= gap_ms => (x0, y0),
                _ => (x, y),
            };
            self.stroke(from, (x, y));
            last = Some((point.time_ms, x, y));
        }
    }

    fn stroke(&mut self, (x0, y0): (usize, usize), (x1, y1): (usize, usize)) {
        let steps = (x1 - x0.min(x1)).max(y0.abs_diff(y1)).max(1);
        for step in 0..=steps {
            let between = |a: usize, b: usize| (a * (steps - step) + b * step) / steps;
            self.dot(between(x0, x1), between(y0, y1));
        }
    }

    fn dot(&mut self, x: usize, y: usize) {
        // Unicode numbers the dots down the left side, then the right, the lowest row last.
        const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let cell = (y / DOWN) * self.columns + x / ACROSS;
        if let Some(dots) = self.dots.get_mut(cell) {
            *dots |= BITS[y % DOWN][x % ACROSS];
        }
    }

    /// A mark of the series in each column that has points, at their mean.
    pub(super) fn marks(
        &mut self,
        points: &[Point],
        span: (i64, i64),
        scale: &Scale,
        series: usize,
    ) {
        let mut sums = vec![(0.0, 0_u32); self.columns];
        for point in points.iter().filter(|point| point.value.is_finite()) {
            if let Some((sum, count)) = sums.get_mut(across(point.time_ms, span, self.columns)) {
                *sum += scale.place(point.value);
                *count += 1;
            }
        }
        for (column, (sum, count)) in sums.into_iter().enumerate() {
            if count > 0 {
                let row = down(sum / f64::from(count), self.rows);
                if let Some(mark) = self.marks.get_mut(row * self.columns + column) {
                    *mark = Some(series);
                }
            }
        }
    }

    /// A row as text; `paint` gives the colour of a series.
    pub(super) fn row(
        &self,
        row: usize,
        marks: &[char],
        paint: impl Fn(usize) -> Option<u8>,
    ) -> String {
        let mut text = String::new();
        for cell in row * self.columns..(row + 1) * self.columns {
            let dots = self.dots.get(cell).copied().unwrap_or_default();
            let mark = self.marks.get(cell).copied().flatten();
            let (c, series) = match (mark, dots) {
                (Some(series), _) => (marks.get(series).copied().unwrap_or('*'), series),
                (None, 0) => {
                    text.push(' ');
                    continue;
                }
                (None, dots) => (char::from_u32(0x2800 + u32::from(dots)).unwrap_or('*'), 0),
            };
            match paint(series) {
                // Writing to a string cannot fail.
                Some(colour) => {
                    write!(text, "\u{1b}[38;5;{colour}m{c}\u{1b}[0m").unwrap_or_default();
                }
                None => text.push(c),
            }
        }
        text.trim_end().to_owned()
    }
}

/// The most usual time between two points: the least, as holes are longer.
fn usual_gap(points: &[Point]) -> i64 {
    let gaps = points.windows(2).map(|pair| pair[1].time_ms.saturating_sub(pair[0].time_ms));
    gaps.min().unwrap_or(i64::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of places"
)]
fn across(time_ms: i64, (from_ms, to_ms): (i64, i64), places: usize) -> usize {
    let share = (time_ms - from_ms) as f64 / (to_ms - from_ms) as f64;
    (share.clamp(0.0, 1.0) * (places - 1) as f64).round() as usize
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of places"
)]
fn down(share: f64, places: usize) -> usize {
    ((1.0 - share.clamp(0.0, 1.0)) * (places - 1) as f64).round() as usize
}

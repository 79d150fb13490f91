//! Functions of samples in a range: of a selector's, or of a subquery's results.

use barograph_model::{Columns, Samples};

use super::Eval;
use crate::chain::{Chain, Read, is_no_counter};
use crate::frame::{Frame, Line, Val};
use crate::grid::{Grid, is_absent, present};
use crate::notes::Note;
use crate::plan::{Kind, Matrix, MatrixOf, Node, RangeFn};
use crate::window::{self, Bounds, Kernel, Reach, Span};
use crate::{EvalError, Series};

/// Which end of each interval counts, as the second argument of `integral()`.
const INTEGRAL_RULES: [f64; 3] = [0.0, 1.0, 2.0];

impl Eval<'_> {
    /// The chain of a range function over a selector.
    pub(super) fn range_chain<'n>(
        &self,
        func: RangeFn,
        args: &'n [Node],
        grid: &Grid,
    ) -> Result<Option<Chain<'n>>, EvalError> {
        let call = self.range_call(func, args, grid)?;
        let MatrixOf::Series { matchers, extended } = &call.matrix.of else { return Ok(None) };
        let read = match *extended {
            Some(mode) => Read::Extended(func, Reach { mode, lookback_ms: self.lookback_ms }),
            None => Read::Range(call.kernel),
        };
        Ok(Some(Chain {
            matchers,
            span: call.span,
            read,
            changes: Vec::new(),
            part: call.part,
            note: call.note,
        }))
    }

    fn range_call<'n>(
        &self,
        func: RangeFn,
        args: &'n [Node],
        grid: &Grid,
    ) -> Result<RangeCall<'n>, EvalError> {
        let mut matrix = None;
        let mut scalars = Vec::new();
        let mut note = None;
        for arg in args {
            if let Kind::Matrix(found) = &arg.kind {
                matrix = Some((found, arg.start));
                continue;
            }
            let values = self.scalar(arg, grid)?;
            if func == RangeFn::Quantile {
                note = bad_quantile(&values).map(|note| (arg.start, note));
            }
            scalars.push(values);
        }
        let Some((matrix, part)) = matrix else {
            return Err(EvalError::Execution("expected a range vector".to_owned()));
        };
        let mut scalars = scalars.into_iter();
        let (first, second) =
            (scalars.next().unwrap_or_default(), scalars.next().unwrap_or_default());
        if func == RangeFn::Integral
            && let Some(rule) = first.iter().find(|rule| !INTEGRAL_RULES.contains(rule))
        {
            let rule = crate::notes::go_g(*rule);
            return Err(EvalError::Execution(format!(
                "integral() has no strategy {rule}: 0 takes the left point, 1 the right, 2 both"
            )));
        }
        if func == RangeFn::Smooth {
            factor_in_range(&first, "smoothing factor", "sf")?;
            factor_in_range(&second, "trend factor", "tf")?;
        }
        let span = Span { grid: *grid, range_ms: matrix.range_ms, shift: matrix.shift };
        Ok(RangeCall { matrix, part, span, kernel: Kernel { func, first, second }, note })
    }

    /// A range function over a subquery.
    pub(super) fn over_subquery(
        &self,
        func: RangeFn,
        args: &[Node],
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        let call = self.range_call(func, args, grid)?;
        let Some((inner_grid, inner)) = self.subquery(call.matrix, grid)? else {
            return Ok(Frame::default());
        };
        self.watch.hold(inner.lines.len(), grid.points)?;
        let mut samples = Samples::default();
        let mut bounds = Bounds::new(call.span);
        let mut lines = Vec::with_capacity(inner.lines.len());
        for line in inner.lines {
            self.watch.check()?;
            (samples.times, samples.values) = present(&inner_grid, &line.values).unzip();
            let mut values = Vec::new();
            window::over_samples(&call.kernel, (&samples).into(), &mut bounds, &mut values);
            if values.iter().all(|value| is_absent(*value)) {
                continue;
            }
            if let Some((part, note)) = &call.note {
                self.notes.add(*part, note.clone());
            }
            let name = line.labels.name();
            if matches!(func, RangeFn::Rate | RangeFn::Increase) && is_no_counter(name) {
                self.notes.no_counter(call.part, name);
            }
            let drop_name = line.drop_name || !func.keeps_name();
            lines.push(Line { labels: line.labels, drop_name, values });
        }
        Ok(Frame::new(lines))
    }

    /// The results of a subquery over all that the grid's windows reach, at multiples of its step.
    /// Nothing when no multiple is in them.
    fn subquery(&self, matrix: &Matrix, grid: &Grid) -> Result<Option<(Grid, Frame)>, EvalError> {
        let MatrixOf::Subquery { inner, step_ms, aligned } = &matrix.of else {
            return Err(EvalError::Execution("expected a subquery".to_owned()));
        };
        let (step_ms, shift) = (*step_ms, matrix.shift);
        let after = shift.apply(grid.start_ms).saturating_sub(matrix.range_ms);
        let end = shift.apply(grid.end_ms());
        let start_ms = if *aligned {
            if grid.points > 1 && shift.at_ms.is_none() && grid.step_ms % step_ms != 0 {
                let problem = "the step of a `::` subquery must divide the question's step";
                return Err(EvalError::Execution(problem.to_owned()));
            }
            let first = shift.apply(grid.start_ms);
            first - (first - after - 1).div_euclid(step_ms).saturating_mul(step_ms)
        } else {
            (after.div_euclid(step_ms) + 1).saturating_mul(step_ms)
        };
        if start_ms > end {
            return Ok(None);
        }
        let points = usize::try_from((end - start_ms) / step_ms).unwrap_or(usize::MAX);
        let points = points.saturating_add(1);
        self.watch.hold(1, points)?;
        let inner_grid = Grid { start_ms, step_ms, points };
        match self.eval(inner, &inner_grid)? {
            Val::Vector(frame) => Ok(Some((inner_grid, frame))),
            Val::Scalar(_) => Err(super::wrong_type("scalar")),
        }
    }

    /// The samples of a range vector that is the question itself.
    pub(crate) fn matrix(&self, node: &Node, grid: &Grid) -> Result<Vec<Series>, EvalError> {
        let Kind::Matrix(matrix) = &node.kind else {
            return Err(EvalError::Execution("expected a range vector".to_owned()));
        };
        let MatrixOf::Series { matchers, extended } = &matrix.of else {
            let Some((inner_grid, frame)) = self.subquery(matrix, grid)? else {
                return Ok(Vec::new());
            };
            return Ok(crate::engine::series(frame.drop_names()?, &inner_grid));
        };
        if extended.is_some() {
            let problem = "`anchored` and `smoothed` ranges stand in functions only";
            return Err(EvalError::Execution(problem.to_owned()));
        }
        let span = Span { grid: *grid, range_ms: matrix.range_ms, shift: matrix.shift };
        let (changes, note) = (Vec::new(), None);
        let chain = Chain { matchers, span, read: Read::Newest, changes, part: node.start, note };
        let selected = chain.select(self)?;
        let mut reader = selected.reader();
        let mut found = Vec::new();
        for (index, labels) in selected.labels().iter().enumerate() {
            self.watch.check()?;
            let mut room = Samples::default();
            let columns = reader.columns(index)?;
            self.watch.read(columns.times.len())?;
            let Columns { times, values, .. } = window::without_stale(columns, &mut room);
            if !times.is_empty() {
                let samples = Samples { times: times.to_vec(), values: values.to_vec() };
                found.push(Series { labels: labels.clone(), samples });
            }
        }
        drop(reader);
        for warning in selected.warnings() {
            self.notes.add(node.start, Note::Plain(warning));
        }
        Ok(found)
    }
}

/// A range function with its arguments.
struct RangeCall<'n> {
    matrix: &'n Matrix,
    /// The range vector's.
    part: usize,
    span: Span,
    kernel: Kernel,
    note: Option<(usize, Note)>,
}

/// What is to be said about a quantile's parameter.
pub(super) fn bad_quantile(values: &[f64]) -> Option<Note> {
    let bad = values.iter().find(|q| !(0.0..=1.0).contains(*q))?;
    let bad = crate::notes::go_g(*bad);
    Some(Note::Warning(format!("quantile value should be between 0 and 1, got {bad}")))
}

fn factor_in_range(values: &[f64], what: &str, short: &str) -> Result<(), EvalError> {
    match values.iter().find(|value| !(**value > 0.0 && **value < 1.0)) {
        None => Ok(()),
        Some(value) => Err(EvalError::Execution(format!(
            "invalid {what}. Expected: 0 < {short} < 1, got: {value:.6}"
        ))),
    }
}

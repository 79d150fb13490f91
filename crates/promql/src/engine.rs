//! The engine's face.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Samples, SeriesSource};

use crate::eval::Eval;
use crate::frame::{Frame, Val, same_labels};
use crate::grid::{Grid, is_absent, present};
use crate::plan::{Kind, Node, plan};
use crate::watch::Watch;
use crate::{Answer, EvalError, Options, Query, Series, Settings, Value, VectorSample};

/// Evaluates questions.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Engine {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Evaluates at one moment, milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// The evaluation makes no sense, a limit is passed, it was cancelled, or the source failed.
    pub fn instant(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        time_ms: i64,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        let grid = Grid::instant(time_ms);
        self.answer(source, query, &grid, time_ms, options, |eval, node, grid| {
            Ok(match &node.kind {
                Kind::Text(text) => Value::String(text.clone()),
                Kind::Matrix(_) => Value::Matrix(eval.matrix(node, grid)?),
                _ => match eval.eval(node, grid)? {
                    Val::Scalar(values) => {
                        Value::Scalar(values.first().copied().unwrap_or(f64::NAN))
                    }
                    Val::Vector(frame) => Value::Vector(vector(frame)?),
                },
            })
        })
    }

    /// Evaluates at `start_ms`, `start_ms + step_ms`, … up to `end_ms`, milliseconds since
    /// 1970-01-01 UTC. The value is a [`Value::Matrix`].
    ///
    /// # Errors
    /// As [`Engine::instant`]; and when the expression is a string or a range vector, the step is
    /// not at least a millisecond, the end is before the start, or there are too many steps.
    pub fn range(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        let grid = self.grid(start_ms, end_ms, step_ms)?;
        self.answer(source, query, &grid, end_ms, options, |eval, node, grid| {
            let found = match &node.kind {
                Kind::Text(_) => Some("string"),
                Kind::Matrix(_) => Some("range vector"),
                _ => None,
            };
            if let Some(found) = found {
                return Err(EvalError::Execution(format!(
                    "invalid expression type \"{found}\" for range query, must be Scalar or \
                     instant Vector"
                )));
            }
            let frame = match eval.eval(node, grid)? {
                Val::Vector(frame) => frame.drop_names()?,
                Val::Scalar(values) => crate::eval::unlabelled(values)?,
            };
            let mut series = series(frame, grid);
            series.sort_by(|a, b| a.labels.cmp(&b.labels));
            if series.windows(2).any(|pair| matches!(pair, [a, b] if a.labels == b.labels)) {
                return Err(same_labels());
            }
            Ok(Value::Matrix(series))
        })
    }

    fn grid(&self, start_ms: i64, end_ms: i64, step_ms: i64) -> Result<Grid, EvalError> {
        let bad = |problem: &str| Err(EvalError::Execution(problem.to_owned()));
        if step_ms < 1 {
            return bad("the step must be at least a millisecond");
        }
        let Some(length) = end_ms.checked_sub(start_ms).filter(|length| *length >= 0) else {
            return bad("the end must not be before the start");
        };
        let max = self.settings.max_points;
        match usize::try_from(length / step_ms) {
            Ok(steps) if steps < max => Ok(Grid { start_ms, step_ms, points: steps + 1 }),
            _ => Err(EvalError::TooManyPoints { max }),
        }
    }

    fn answer(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        grid: &Grid,
        end_ms: i64,
        options: &Options<'_>,
        value: impl FnOnce(&Eval<'_>, &Node, &Grid) -> Result<Value, EvalError>,
    ) -> Result<Answer, EvalError> {
        let watch = Watch::new(&*self.clock, &self.settings, options);
        let node = plan(query, grid, end_ms, &self.settings)?;
        let lookback = options.lookback.unwrap_or(self.settings.lookback);
        let threads = options.threads.unwrap_or(self.settings.threads).max(1);
        let eval = Eval::new(source, watch, millis(lookback), threads);
        let value = value(&eval, &node, grid)?;
        let stats = eval.watch().stats();
        let (warnings, infos) = eval.into_notes().worded(query);
        Ok(Answer { value, warnings, infos, stats })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

fn vector(frame: Frame) -> Result<Vec<VectorSample>, EvalError> {
    let ordered = frame.ordered;
    let frame = frame.drop_names()?;
    let mut samples: Vec<VectorSample> = frame
        .lines
        .into_iter()
        .filter_map(|line| {
            let value = line.values.first().copied().filter(|value| !is_absent(*value))?;
            Some(VectorSample { labels: line.labels, value })
        })
        .collect();
    if !ordered {
        samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    let mut seen = std::collections::HashSet::with_capacity(samples.len());
    if !samples.iter().all(|sample| seen.insert(&sample.labels)) {
        return Err(same_labels());
    }
    Ok(samples)
}

/// The lines that have values, as series.
pub(crate) fn series(frame: Frame, grid: &Grid) -> Vec<Series> {
    frame
        .lines
        .into_iter()
        .map(|line| Series { labels: line.labels, samples: samples(line.values, grid) })
        .filter(|series| !series.samples.times.is_empty())
        .collect()
}

fn samples(values: Vec<f64>, grid: &Grid) -> Samples {
    if values.iter().any(|value| is_absent(*value)) {
        let (times, values) = present(grid, &values).unzip();
        return Samples { times, values };
    }
    Samples { times: grid.times().take(values.len()).collect(), values }
}

#[cfg(test)]
mod tests;

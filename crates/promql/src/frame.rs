//! What the parts of an expression evaluate to.

use std::collections::HashMap;

use barograph_model::{Labels, METRIC_NAME};

use crate::EvalError;
use crate::grid::{ABSENT, is_absent};

/// The value of a part of an expression over a grid.
#[derive(Debug, Clone)]
pub(crate) enum Val {
    /// One value for each point.
    Scalar(Vec<f64>),
    Vector(Frame),
}

/// An instant vector at each point of a grid.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub lines: Vec<Line>,
    /// Whether the order of the lines means something.
    pub ordered: bool,
}

/// One series of a [`Frame`].
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub labels: Labels,
    /// Whether the metric's name goes once the whole expression is evaluated. Until then functions
    /// of labels and grouping still see it.
    pub drop_name: bool,
    /// One for each point, [`ABSENT`] where there is none.
    pub values: Vec<f64>,
}

impl Frame {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        Self { lines, ordered: false }
    }

    /// Removes lines without any value.
    pub(crate) fn prune(&mut self) {
        self.lines.retain(|line| line.values.iter().any(|value| !is_absent(*value)));
    }

    /// Makes one line of those with the same labels.
    pub(crate) fn merge_same(self) -> Result<Self, EvalError> {
        let mut at: HashMap<Labels, usize> = HashMap::with_capacity(self.lines.len());
        let mut lines: Vec<Line> = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            let next = lines.len();
            let index = *at.entry(line.labels.clone()).or_insert(next);
            match lines.get_mut(index) {
                None => lines.push(line),
                Some(known) => merge(known, &line)?,
            }
        }
        Ok(Self { lines, ordered: self.ordered })
    }

    /// Lets the names go that were kept until now.
    pub(crate) fn drop_names(mut self) -> Result<Self, EvalError> {
        if !self.lines.iter().any(|line| line.drop_name) {
            return Ok(self);
        }
        for line in self.lines.iter_mut().filter(|line| line.drop_name) {
            line.labels = without(&line.labels, &[METRIC_NAME])?;
            line.drop_name = false;
        }
        self.merge_same()
    }
}

fn merge(known: &mut Line, line: &Line) -> Result<(), EvalError> {
    known.drop_name |= line.drop_name;
    for (value, other) in known.values.iter_mut().zip(&line.values) {
        if is_absent(*other) {
            continue;
        }
        if !is_absent(*value) {
            return Err(same_labels());
        }
        *value = *other;
    }
    Ok(())
}

pub(crate) fn same_labels() -> EvalError {
    EvalError::Execution("vector cannot contain metrics with the same labelset".to_owned())
}

/// The labels without some.
pub(crate) fn without(labels: &Labels, names: &[&str]) -> Result<Labels, EvalError> {
    make_labels(labels.iter().filter(|(name, _)| !names.contains(name)))
}

/// Labels that an expression makes.
pub(crate) fn make_labels<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Result<Labels, EvalError> {
    Labels::new(pairs).map_err(|error| EvalError::Execution(error.to_string()))
}

/// A column without values.
pub(crate) fn absent_column(points: usize) -> Vec<f64> {
    vec![ABSENT; points]
}

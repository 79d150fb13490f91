//! Evaluates the parts of an expression, each over all points of a grid at once.

mod aggregates;
mod calls;
mod info;
mod ranges;

use barograph_model::{SelectedSeries, SeriesSource};

use crate::EvalError;
use crate::ast::BinaryOp;
use crate::chain::{Chain, Read, Sink};
use crate::change::{self, Change};
use crate::frame::{Frame, Line, Val, absent_column};
use crate::grid::{Grid, is_absent};
use crate::matching;
use crate::notes::Notes;
use crate::operator::{self, Combine};
use crate::plan::{Binary, Func, Kind, Node};
use crate::watch::Watch;
use crate::window::{Reach, Span};

/// One evaluation.
pub(crate) struct Eval<'a> {
    source: &'a dyn SeriesSource,
    watch: Watch<'a>,
    notes: Notes,
    lookback_ms: i64,
    threads: usize,
}

impl<'a> Eval<'a> {
    pub(crate) fn new(
        source: &'a dyn SeriesSource,
        watch: Watch<'a>,
        lookback_ms: i64,
        threads: usize,
    ) -> Self {
        Self { source, watch, notes: Notes::default(), lookback_ms, threads }
    }

    pub(crate) fn source(&self) -> &'a dyn SeriesSource {
        self.source
    }

    pub(crate) fn watch(&self) -> &Watch<'a> {
        &self.watch
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    pub(crate) fn into_notes(self) -> Notes {
        self.notes
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// The value of a part over a grid.
    pub(crate) fn eval(&self, node: &Node, grid: &Grid) -> Result<Val, EvalError> {
        if node.fixed && grid.points > 1 && !matches!(node.kind, Kind::Number(_)) {
            let once = self.kind(node, &Grid::instant(grid.start_ms))?;
            return self.repeat(once, grid.points);
        }
        self.kind(node, grid)
    }

    /// What is the same at each point, over all points.
    fn repeat(&self, once: Val, points: usize) -> Result<Val, EvalError> {
        let repeated = |values: &[f64]| vec![values.first().copied().unwrap_or_default(); points];
        Ok(match once {
            Val::Scalar(values) => Val::Scalar(repeated(&values)),
            Val::Vector(mut frame) => {
                self.watch.hold(frame.lines.len(), points)?;
                for line in &mut frame.lines {
                    line.values = repeated(&line.values);
                }
                Val::Vector(frame)
            }
        })
    }

    fn kind(&self, node: &Node, grid: &Grid) -> Result<Val, EvalError> {
        self.watch.check()?;
        if node.is_scalar() {
            return self.scalar(node, grid).map(Val::Scalar);
        }
        let peeled = self.peel(node, grid)?;
        if let Some(chain) = self.chain(peeled.base, grid)? {
            let drops_name = peeled.drops_name || drops_name(peeled.base);
            return self.collect(&chain.and(peeled.changes), drops_name).map(Val::Vector);
        }
        let mut frame = self.base(peeled.base, grid)?;
        for line in &mut frame.lines {
            peeled.changes.iter().for_each(|change| change(&mut line.values));
            line.drop_name |= peeled.drops_name;
        }
        if !peeled.changes.is_empty() {
            frame.prune();
        }
        Ok(Val::Vector(frame))
    }

    /// A vector that is not a change of another.
    fn base(&self, node: &Node, grid: &Grid) -> Result<Frame, EvalError> {
        if node.fixed && grid.points > 1 {
            return self.vector(node, grid);
        }
        match &node.kind {
            Kind::Binary(binary) => self.vectors(binary, grid),
            Kind::Aggregate(aggregate) => self.aggregate(aggregate, node, grid),
            Kind::Call(func, args) => self.call(*func, args, node, grid),
            Kind::Text(_) => Err(wrong_type("string")),
            Kind::Matrix(_) => Err(wrong_type("range vector")),
            Kind::Number(_) | Kind::Select(_) | Kind::Negate(_) => Err(wrong_type("scalar")),
        }
    }

    pub(crate) fn vector(&self, node: &Node, grid: &Grid) -> Result<Frame, EvalError> {
        match self.eval(node, grid)? {
            Val::Vector(frame) => Ok(frame),
            Val::Scalar(_) => Err(wrong_type("scalar")),
        }
    }

    /// A scalar's value at each point.
    pub(crate) fn scalar(&self, node: &Node, grid: &Grid) -> Result<Vec<f64>, EvalError> {
        match &node.kind {
            Kind::Number(value) => Ok(vec![*value; grid.points]),
            Kind::Negate(inner) => {
                Ok(self.scalar(inner, grid)?.into_iter().map(|value| -value).collect())
            }
            Kind::Binary(binary) => {
                let mut left = self.scalar(&binary.lhs, grid)?;
                let right = self.scalar(&binary.rhs, grid)?;
                for (left, right) in left.iter_mut().zip(right) {
                    *left = operator::scalars(binary.op, *left, right);
                }
                Ok(left)
            }
            Kind::Call(func, args) => self.scalar_call(*func, args, grid),
            _ => Err(wrong_type("instant vector")),
        }
    }

    /// Takes the functions of each value alone off a part.
    pub(crate) fn peel<'n>(&self, node: &'n Node, grid: &Grid) -> Result<Peeled<'n>, EvalError> {
        let mut peeled = Peeled { base: node, changes: Vec::new(), drops_name: false };
        loop {
            let (inner, change, drops_name) = match &peeled.base.kind {
                Kind::Negate(inner) => (&**inner, change::negate(), true),
                Kind::Call(Func::Map(func), args) => {
                    let [inner, scalars @ ..] = args.as_slice() else { break };
                    let scalars = scalars.iter().map(|scalar| self.scalar(scalar, grid));
                    (inner, change::map(*func, scalars.collect::<Result<_, _>>()?), true)
                }
                Kind::Call(Func::Date(func), args) => {
                    let [inner] = args.as_slice() else { break };
                    (inner, change::date(*func), true)
                }
                Kind::Call(Func::Timestamp, args) => {
                    let [inner] = args.as_slice() else { break };
                    if matches!(inner.kind, Kind::Select(_)) {
                        break;
                    }
                    (inner, change::times(grid), true)
                }
                Kind::Binary(binary) => match self.with_scalar(binary, grid)? {
                    Some(step) => step,
                    None => break,
                },
                _ => break,
            };
            peeled.base = inner;
            peeled.changes.push(change);
            peeled.drops_name |= drops_name;
        }
        peeled.changes.reverse();
        Ok(peeled)
    }

    /// An operator between a vector and a scalar.
    fn with_scalar<'n>(
        &self,
        binary: &'n Binary,
        grid: &Grid,
    ) -> Result<Option<(&'n Node, Change, bool)>, EvalError> {
        let (vector, scalar, swapped) = match (binary.lhs.is_scalar(), binary.rhs.is_scalar()) {
            (false, true) => (&binary.lhs, &binary.rhs, false),
            (true, false) => (&binary.rhs, &binary.lhs, true),
            _ => return Ok(None),
        };
        let return_bool = binary.return_bool;
        let combine = Combine { op: binary.op, return_bool, swapped, keep_other: false };
        let change = change::combine(combine, self.scalar(scalar, grid)?);
        Ok(Some((vector, change, return_bool || !binary.op.is_comparison())))
    }

    /// The chain that reads a part, if it is series as they are read.
    pub(crate) fn chain<'n>(
        &self,
        node: &'n Node,
        grid: &Grid,
    ) -> Result<Option<Chain<'n>>, EvalError> {
        let (selector, read, part) = match &node.kind {
            Kind::Select(selector) => (selector, Read::Newest, node.start),
            Kind::Call(Func::Timestamp, args) => match args.as_slice() {
                [Node { kind: Kind::Select(selector), start, .. }] => {
                    (selector, Read::TimeOfNewest, *start)
                }
                _ => return Ok(None),
            },
            Kind::Call(Func::Range(func), args) => return self.range_chain(*func, args, grid),
            _ => return Ok(None),
        };
        let read = match (selector.extended, read) {
            (Some(mode), Read::Newest) => {
                Read::Smoothed(Reach { mode, lookback_ms: self.lookback_ms })
            }
            (_, read) => read,
        };
        let span = Span { grid: *grid, range_ms: self.lookback_ms, shift: selector.shift };
        let matchers = &selector.matchers;
        Ok(Some(Chain { matchers, span, read, changes: Vec::new(), part, note: None }))
    }

    fn collect(&self, chain: &Chain<'_>, drop_name: bool) -> Result<Frame, EvalError> {
        let selected = chain.select(self)?;
        self.watch.hold(selected.labels().len(), chain.span.grid.points)?;
        let sinks = chain.stream(self, &*selected, Columns::default)?;
        let lines =
            sinks.into_iter().flat_map(|sink| sink.columns).filter_map(|(series, values)| {
                let labels = selected.labels().get(series)?.clone();
                Some(Line { labels, drop_name, values })
            });
        Ok(Frame::new(lines.collect()))
    }

    fn vectors(&self, binary: &Binary, grid: &Grid) -> Result<Frame, EvalError> {
        let lhs = self.vector(&binary.lhs, grid)?;
        let rhs = self.vector(&binary.rhs, grid)?;
        self.watch.hold(lhs.lines.len() + rhs.lines.len(), grid.points)?;
        match binary.op {
            op @ (BinaryOp::And | BinaryOp::Or | BinaryOp::Unless) => {
                matching::sets(op, &binary.matching, lhs, rhs)
            }
            _ => matching::operate(binary, &lhs, &rhs, grid.points),
        }
    }
}

/// The text that an argument is.
fn text(node: &Node) -> Result<&str, EvalError> {
    match &node.kind {
        Kind::Text(text) => Ok(text),
        _ => Err(EvalError::Execution("expected a string literal".to_owned())),
    }
}

/// The text that an argument is, when it can name a label; `what` goes before it in an error.
fn label_name<'n>(node: &'n Node, what: &str) -> Result<&'n str, EvalError> {
    let text = text(node)?;
    if text.is_empty() {
        return Err(EvalError::Execution(format!("{what} \"\"")));
    }
    Ok(text)
}

/// A part without the functions of each value alone around it.
pub(crate) struct Peeled<'n> {
    pub base: &'n Node,
    /// The innermost first.
    pub changes: Vec<Change>,
    pub drops_name: bool,
}

/// Whether a chain's values are no longer the metric's own.
pub(crate) fn drops_name(node: &Node) -> bool {
    match &node.kind {
        Kind::Call(Func::Range(func), _) => !func.keeps_name(),
        Kind::Call(Func::Timestamp, _) => true,
        _ => false,
    }
}

impl Chain<'_> {
    pub(crate) fn and(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }
}

/// Keeps the columns that have values.
#[derive(Debug, Default)]
struct Columns {
    columns: Vec<(usize, Vec<f64>)>,
}

impl Sink for Columns {
    fn take(&mut self, series: usize, column: &mut Vec<f64>) {
        if column.iter().any(|value| !is_absent(*value)) {
            self.columns.push((series, std::mem::take(column)));
        }
    }
}

fn wrong_type(found: &str) -> EvalError {
    EvalError::Execution(format!("expected an instant vector, got {found}"))
}

/// A line without labels.
pub(crate) fn unlabelled(values: Vec<f64>) -> Result<Frame, EvalError> {
    let labels = crate::frame::make_labels::<&str, &str>([])?;
    Ok(Frame::new(vec![Line { labels, drop_name: false, values }]))
}

/// Where any of the lines has a value.
fn anywhere(frame: &Frame, points: usize) -> Vec<f64> {
    let mut there = absent_column(points);
    for line in &frame.lines {
        for (there, value) in there.iter_mut().zip(&line.values) {
            if !is_absent(*value) {
                *there = 1.0;
            }
        }
    }
    there
}

/// The labels of selected series, for [`crate::aggregate::Members`].
fn labels_of(selected: &dyn SelectedSeries) -> impl Iterator<Item = &barograph_model::Labels> {
    selected.labels().iter()
}

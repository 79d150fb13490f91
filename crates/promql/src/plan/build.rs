//! From the parser's tree to the engine's.

use super::{Aggregate, Binary, Func, Grouping, Kind, Matrix, MatrixOf, Node, Selector, Shift};
use crate::ast::{self, At, Expr, Extended, MatrixSelector, Subquery, TimeShift, VectorSelector};
use crate::grid::{Grid, seconds};
use crate::{EvalError, Query, Settings, operator};

/// Prepares an expression for evaluation over a grid. What was asked for ends at `end_ms`, at the
/// grid's last moment or less than a step later.
///
/// # Errors
/// A computed length makes no sense, or something is needed that this engine does not have.
pub(crate) fn plan(
    query: &Query,
    grid: &Grid,
    end_ms: i64,
    settings: &Settings,
) -> Result<Node, EvalError> {
    let range_ms = end_ms - grid.start_ms;
    let step_ms = if grid.is_instant() { 0 } else { grid.step_ms };
    let expr = query
        .resolved(step_ms, range_ms)
        .map_err(|error| EvalError::Execution(error.to_string()))?;
    Builder { grid, end_ms, settings }.node(&expr)
}

/// Functions of native histograms only, which are not there.
const NATIVE: [&str; 5] =
    ["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"];

struct Builder<'a> {
    grid: &'a Grid,
    end_ms: i64,
    settings: &'a Settings,
}

impl Builder<'_> {
    fn node(&self, expr: &Expr) -> Result<Node, EvalError> {
        // The outermost parenthesis is where a part starts.
        let (kind, fixed) = self.kind(expr.unwrapped())?;
        Ok(Node { start: expr.span.start, kind, fixed })
    }

    fn kind(&self, expr: &Expr) -> Result<(Kind, bool), EvalError> {
        match &expr.node {
            ast::Node::Number { value, .. } => Ok((Kind::Number(*value), true)),
            ast::Node::Text(text) => Ok((Kind::Text(text.clone()), true)),
            ast::Node::Vector(selector) => {
                let selector = self.selector(selector);
                let fixed = selector.shift.at_ms.is_some();
                Ok((Kind::Select(selector), fixed))
            }
            ast::Node::Matrix(matrix) => Ok(self.matrix(matrix)),
            ast::Node::Subquery(subquery) => self.subquery(subquery),
            ast::Node::Unary { negative: true, inner } => {
                let inner = self.node(inner)?;
                let fixed = inner.fixed;
                Ok(match inner.kind {
                    Kind::Number(value) => (Kind::Number(-value), fixed),
                    _ => (Kind::Negate(Box::new(inner)), fixed),
                })
            }
            ast::Node::Binary(binary) => self.binary(binary),
            ast::Node::Aggregate(aggregate) => self.aggregate(aggregate),
            ast::Node::Call { function, args } => self.call(function.name, args),
            ast::Node::Paren(inner) | ast::Node::Unary { negative: false, inner } => {
                self.kind(inner.unwrapped())
            }
        }
    }

    fn selector(&self, selector: &VectorSelector) -> Selector {
        Selector {
            matchers: selector.matchers.clone(),
            shift: self.shift(&selector.time),
            extended: selector.extended,
        }
    }

    fn matrix(&self, matrix: &MatrixSelector) -> (Kind, bool) {
        let Selector { matchers, shift, extended } = self.selector(&matrix.selector);
        let of = MatrixOf::Series { matchers, extended };
        let fixed = shift.at_ms.is_some();
        (Kind::Matrix(Matrix { range_ms: matrix.range.ms, shift, of }), fixed)
    }

    fn subquery(&self, subquery: &Subquery) -> Result<(Kind, bool), EvalError> {
        let shift = self.shift(&subquery.time);
        let default_ms = self.settings.default_step_ms();
        let step_ms = subquery.step.as_ref().map_or(default_ms, |step| step.ms).max(1);
        let inner = Box::new(self.node(&subquery.inner)?);
        let of = MatrixOf::Subquery { inner, step_ms, aligned: subquery.aligned };
        let matrix = Matrix { range_ms: subquery.range.ms, shift, of };
        Ok((Kind::Matrix(matrix), shift.at_ms.is_some()))
    }

    fn binary(&self, binary: &ast::Binary) -> Result<(Kind, bool), EvalError> {
        let (lhs, rhs) = (self.node(&binary.lhs)?, self.node(&binary.rhs)?);
        let fixed = lhs.fixed && rhs.fixed;
        if let (Kind::Number(left), Kind::Number(right)) = (&lhs.kind, &rhs.kind) {
            return Ok((Kind::Number(operator::scalars(binary.op, *left, *right)), true));
        }
        let matching = binary.matching.clone().unwrap_or_default();
        let ast::Binary { op, return_bool, .. } = *binary;
        Ok((Kind::Binary(Box::new(Binary { op, lhs, rhs, return_bool, matching })), fixed))
    }

    fn aggregate(&self, aggregate: &ast::Aggregate) -> Result<(Kind, bool), EvalError> {
        let param = aggregate.param.as_ref().map(|param| self.node(param)).transpose()?;
        let expr = self.node(&aggregate.inner)?;
        let fixed = expr.fixed && param.as_ref().is_none_or(|param| param.fixed);
        let grouping = Grouping { without: aggregate.without, labels: aggregate.grouping.clone() };
        let op = aggregate.op;
        Ok((Kind::Aggregate(Box::new(Aggregate { op, expr, param, grouping })), fixed))
    }

    fn call(&self, name: &str, args: &[Expr]) -> Result<(Kind, bool), EvalError> {
        if args.is_empty()
            && let Some(value) = self.constant(name)
        {
            return Ok((Kind::Number(value), true));
        }
        let args: Vec<Node> = args.iter().map(|arg| self.node(arg)).collect::<Result<_, _>>()?;
        let Some(func) = Func::named(name) else { return Err(not_here(name)) };
        check_extended(name, &args)?;
        let fixed = args.iter().all(|arg| arg.fixed) && !func.reads_time();
        Ok((Kind::Call(func, args), fixed))
    }

    /// Functions that are numbers once the question is known.
    fn constant(&self, name: &str) -> Option<f64> {
        Some(match name {
            "pi" => std::f64::consts::PI,
            "start" => seconds(self.grid.start_ms),
            "end" => seconds(self.end_ms),
            "step" if self.grid.is_instant() => 0.0,
            "step" => seconds(self.grid.step_ms),
            "range" => seconds(self.end_ms - self.grid.start_ms),
            _ => return None,
        })
    }

    fn shift(&self, time: &TimeShift) -> Shift {
        let at_ms = time.at.map(|at| match at {
            At::Start => self.grid.start_ms,
            At::End => self.end_ms,
            At::Time(ms) => ms,
        });
        Shift { at_ms, offset_ms: time.offset.ms }
    }
}

/// Only some functions make sense of ranges that look beyond their ends.
fn check_extended(name: &str, args: &[Node]) -> Result<(), EvalError> {
    let extended = args.iter().find_map(|arg| match &arg.kind {
        Kind::Matrix(Matrix { of: MatrixOf::Series { extended, .. }, .. }) => *extended,
        _ => None,
    });
    let (mode, functions): (_, &[&str]) = match extended {
        None => return Ok(()),
        Some(Extended::Anchored) => {
            ("anchored", &["changes", "delta", "increase", "rate", "resets"])
        }
        Some(Extended::Smoothed) => ("smoothed", &["delta", "increase", "rate"]),
    };
    if functions.contains(&name) {
        return Ok(());
    }
    let functions = functions.join(", ");
    Err(EvalError::Execution(format!(
        "{mode} modifier can only be used with: {functions} - not with {name}"
    )))
}

fn not_here(name: &str) -> EvalError {
    EvalError::Execution(if NATIVE.contains(&name) {
        format!("{name}() works on native histograms, which are not supported")
    } else {
        format!("function {name}() is not supported")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{FUNCTIONS, function};
    use crate::plan::functions::FUNCS;

    #[test]
    fn every_function_of_the_language_has_a_plan_and_every_plan_is_of_one() {
        let (grid, settings) = (Grid::instant(0), Settings::default());
        let builder = Builder { grid: &grid, end_ms: 0, settings: &settings };
        let unplanned: Vec<&str> = FUNCTIONS
            .iter()
            .map(|function| function.name)
            .filter(|name| Func::named(name).is_none() && builder.constant(name).is_none())
            .collect();
        assert_eq!(unplanned, NATIVE, "only those of native histograms are refused");
        assert!(FUNCS.is_sorted_by(|a, b| a.0 < b.0), "each is found by its name");
        let unknown: Vec<&str> =
            FUNCS.iter().map(|(name, _)| *name).filter(|name| function(name).is_none()).collect();
        assert_eq!(unknown, [""; 0]);
    }
}

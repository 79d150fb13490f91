//! An expression as the engine evaluates it: names resolved, times fixed, constants folded.

mod build;
mod functions;

use barograph_model::Matcher;

use crate::ast::{AggregateOp, BinaryOp, Extended, Matching};

pub(crate) use build::plan;
pub(crate) use functions::{DateFn, Func, MapFn, RangeFn};

/// A part of an expression.
#[derive(Debug)]
pub(crate) struct Node {
    /// Where it starts in the query's text, for the places in warnings.
    pub start: usize,
    pub kind: Kind,
    /// Whether the value is the same at each step.
    pub fixed: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Number(f64),
    Text(String),
    Select(Selector),
    Matrix(Matrix),
    Negate(Box<Node>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Func, Vec<Node>),
}

impl Node {
    pub(crate) fn is_scalar(&self) -> bool {
        match &self.kind {
            Kind::Number(_) => true,
            Kind::Negate(inner) => inner.is_scalar(),
            Kind::Binary(binary) => binary.lhs.is_scalar() && binary.rhs.is_scalar(),
            Kind::Call(func, _) => func.is_scalar(),
            Kind::Text(_) | Kind::Select(_) | Kind::Matrix(_) | Kind::Aggregate(_) => false,
        }
    }
}

/// Which series, and how their time is shifted.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    pub matchers: Vec<Matcher>,
    pub shift: Shift,
    pub extended: Option<Extended>,
}

/// `@` and `offset`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shift {
    pub at_ms: Option<i64>,
    pub offset_ms: i64,
}

impl Shift {
    /// The moment that is looked at when `time_ms` is asked for.
    pub(crate) fn apply(&self, time_ms: i64) -> i64 {
        self.at_ms.unwrap_or(time_ms).saturating_sub(self.offset_ms)
    }
}

/// A range of samples for each step.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub range_ms: i64,
    pub shift: Shift,
    pub of: MatrixOf,
}

#[derive(Debug)]
pub(crate) enum MatrixOf {
    Series {
        matchers: Vec<Matcher>,
        extended: Option<Extended>,
    },
    Subquery {
        inner: Box<Node>,
        step_ms: i64,
        /// Steps count from the end of the range and not from 1970.
        aligned: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub op: BinaryOp,
    pub lhs: Node,
    pub rhs: Node,
    pub return_bool: bool,
    pub matching: Matching,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub op: AggregateOp,
    pub expr: Node,
    pub param: Option<Node>,
    pub grouping: Grouping,
}

/// `by` or `without` some labels.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    pub without: bool,
    pub labels: Vec<String>,
}

//! The tree of a query.
//!
//! Every node knows where it stands in the text: Prometheus' warnings and infos name the place, so
//! the engine needs it as much as the errors of the parser do.

use barograph_model::Matcher;

use crate::duration::DurationExpr;
use crate::function::Signature;

/// A part of the query's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub node: Node,
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Number {
        value: f64,
        /// It was written as a duration such as `5m`, and is printed so again.
        is_duration: bool,
    },
    Text(String),
    Paren(Box<Expr>),
    Unary {
        negative: bool,
        inner: Box<Expr>,
    },
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call {
        function: &'static Signature,
        args: Vec<Expr>,
    },
    Vector(Box<VectorSelector>),
    Matrix(Box<MatrixSelector>),
    Subquery(Box<Subquery>),
}

/// What an expression comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    Scalar,
    Vector,
    Matrix,
    Text,
}

/// Two operands.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    pub lhs: Expr,
    pub rhs: Expr,
    /// A comparison answers 0 or 1 instead of leaving out.
    pub return_bool: bool,
    /// `Some` exactly when both sides are instant vectors.
    pub matching: Option<Matching>,
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Unless,
}

/// How the series of two vectors find each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matching {
    pub cardinality: Cardinality,
    /// `on (…)`: only these labels count. Else all but these (`ignoring`).
    pub on: bool,
    pub labels: Vec<String>,
    /// Labels of the "one" side that `group_left` or `group_right` copies.
    pub include: Vec<String>,
    /// What stands in for a series that is missing on the left or right.
    pub fill_left: Option<f64>,
    pub fill_right: Option<f64>,
}

/// How many series of each side may belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cardinality {
    #[default]
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// `and`, `or`, `unless`
    ManyToMany,
}

/// An aggregation over series.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub op: AggregateOp,
    pub param: Option<Expr>,
    pub inner: Expr,
    /// `without (…)`: all labels but these remain. Else these alone (`by`).
    pub without: bool,
    pub grouping: Vec<String>,
}

/// The aggregations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    TopK,
    BottomK,
    CountValues,
    Quantile,
    LimitK,
    LimitRatio,
}

/// Chooses series.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSelector {
    /// The name before the braces.
    pub name: Option<String>,
    /// All conditions, that on the name among them.
    pub matchers: Vec<Matcher>,
    pub time: TimeShift,
    pub extended: Option<Extended>,
}

/// Experimental ways to treat the ends of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended {
    Anchored,
    Smoothed,
}

/// `selector[range]`
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    pub selector: VectorSelector,
    /// Where the selector stands, without the range.
    pub selector_span: Span,
    pub range: Length,
}

/// `expression[range:step]`
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    pub inner: Expr,
    pub range: Length,
    /// The default step where `None`.
    pub step: Option<Length>,
    pub time: TimeShift,
    /// `::`: steps count from the evaluation's time instead of from 1970.
    pub aligned: bool,
}

/// `offset` and `@`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeShift {
    /// Positive: into the past.
    pub offset: Length,
    pub at: Option<At>,
}

/// The moment that `@` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Milliseconds since 1970-01-01 UTC.
    Time(i64),
    Start,
    End,
}

/// A length of time: milliseconds, perhaps by an expression that needs the question's step or range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Length {
    /// Right once [`crate::Query::resolved`] has been asked.
    pub ms: i64,
    /// As it was written, where it is more than a number.
    pub expr: Option<Box<DurationExpr>>,
}

impl Expr {
    pub fn value_type(&self) -> ValueType {
        match &self.node {
            Node::Number { .. } => ValueType::Scalar,
            Node::Text(_) => ValueType::Text,
            Node::Paren(inner) | Node::Unary { inner, .. } => inner.value_type(),
            Node::Binary(binary) => {
                let sides = [binary.lhs.value_type(), binary.rhs.value_type()];
                let scalar = sides == [ValueType::Scalar, ValueType::Scalar];
                if scalar { ValueType::Scalar } else { ValueType::Vector }
            }
            Node::Aggregate(_) | Node::Vector(_) => ValueType::Vector,
            Node::Call { function, .. } => function.returns,
            Node::Matrix(_) | Node::Subquery(_) => ValueType::Matrix,
        }
    }

    /// The expression without the parentheses around it.
    pub fn unwrapped(&self) -> &Self {
        let mut expr = self;
        while let Node::Paren(inner) = &expr.node {
            expr = inner;
        }
        expr
    }

    /// The expressions in it, in the order of the text.
    pub fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Number { .. } | Node::Text(_) | Node::Vector(_) | Node::Matrix(_) => Vec::new(),
            Node::Paren(inner) | Node::Unary { inner, .. } => vec![inner],
            Node::Binary(binary) => vec![&binary.lhs, &binary.rhs],
            Node::Aggregate(aggregate) => {
                aggregate.param.iter().chain(std::iter::once(&aggregate.inner)).collect()
            }
            Node::Call { args, .. } => args.iter().collect(),
            Node::Subquery(subquery) => vec![&subquery.inner],
        }
    }

    /// The same, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.node {
            Node::Number { .. } | Node::Text(_) | Node::Vector(_) | Node::Matrix(_) => Vec::new(),
            Node::Paren(inner) | Node::Unary { inner, .. } => vec![inner],
            Node::Binary(binary) => vec![&mut binary.lhs, &mut binary.rhs],
            Node::Aggregate(aggregate) => {
                aggregate.param.iter_mut().chain(std::iter::once(&mut aggregate.inner)).collect()
            }
            Node::Call { args, .. } => args.iter_mut().collect(),
            Node::Subquery(subquery) => vec![&mut subquery.inner],
        }
    }
}

impl ValueType {
    /// As the interface names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::Text => "string",
        }
    }

    /// As the errors name it.
    pub const fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::Text => "string",
        }
    }
}

impl BinaryOp {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
        }
    }

    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
        )
    }

    pub const fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

impl AggregateOp {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::TopK => "topk",
            Self::BottomK => "bottomk",
            Self::CountValues => "count_values",
            Self::Quantile => "quantile",
            Self::LimitK => "limitk",
            Self::LimitRatio => "limit_ratio",
        }
    }

    pub const fn takes_param(self) -> bool {
        matches!(
            self,
            Self::TopK
                | Self::BottomK
                | Self::CountValues
                | Self::Quantile
                | Self::LimitK
                | Self::LimitRatio
        )
    }
}

impl Length {
    pub const fn of_ms(ms: i64) -> Self {
        Self { ms, expr: None }
    }
}

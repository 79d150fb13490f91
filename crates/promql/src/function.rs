//! The functions of the language: what they take and give.
//!
//! Names and types: <https://prometheus.io/docs/prometheus/latest/querying/functions/>.

use crate::ast::ValueType;
use crate::ast::ValueType::{Matrix, Scalar, Text, Vector};

/// What a function takes and gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    pub name: &'static str,
    pub args: &'static [ValueType],
    pub variadic: Variadic,
    pub returns: ValueType,
    /// Prometheus has it behind a flag; Barograph always has it.
    pub experimental: bool,
}

/// How often the last argument may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variadic {
    /// Once.
    No,
    /// Up to so many times, or not at all.
    UpTo(usize),
    Any,
}

/// The function of that name.
pub fn function(name: &str) -> Option<&'static Signature> {
    let place = FUNCTIONS.binary_search_by(|known| known.name.cmp(name)).ok()?;
    FUNCTIONS.get(place)
}

const fn new(name: &'static str, args: &'static [ValueType], returns: ValueType) -> Signature {
    Signature { name, args, variadic: Variadic::No, returns, experimental: false }
}

impl Signature {
    const fn up_to(self, times: usize) -> Self {
        Self { variadic: Variadic::UpTo(times), ..self }
    }

    const fn any(self) -> Self {
        Self { variadic: Variadic::Any, ..self }
    }

    const fn experimental(self) -> Self {
        Self { experimental: true, ..self }
    }
}

/// In order of their names.
pub static FUNCTIONS: &[Signature] = &[
    new("abs", &[Vector], Vector),
    new("absent", &[Vector], Vector),
    new("absent_over_time", &[Matrix], Vector),
    new("acos", &[Vector], Vector),
    new("acosh", &[Vector], Vector),
    new("asin", &[Vector], Vector),
    new("asinh", &[Vector], Vector),
    new("atan", &[Vector], Vector),
    new("atanh", &[Vector], Vector),
    new("avg_over_time", &[Matrix], Vector),
    new("ceil", &[Vector], Vector),
    new("changes", &[Matrix], Vector),
    new("clamp", &[Vector, Scalar, Scalar], Vector),
    new("clamp_max", &[Vector, Scalar], Vector),
    new("clamp_min", &[Vector, Scalar], Vector),
    new("cos", &[Vector], Vector),
    new("cosh", &[Vector], Vector),
    new("count_over_time", &[Matrix], Vector),
    new("day_of_month", &[Vector], Vector).up_to(1),
    new("day_of_week", &[Vector], Vector).up_to(1),
    new("day_of_year", &[Vector], Vector).up_to(1),
    new("days_in_month", &[Vector], Vector).up_to(1),
    new("deg", &[Vector], Vector),
    new("delta", &[Matrix], Vector),
    new("deriv", &[Matrix], Vector),
    new("double_exponential_smoothing", &[Matrix, Scalar, Scalar], Vector).experimental(),
    new("end", &[], Scalar).experimental(),
    new("exp", &[Vector], Vector),
    new("first_over_time", &[Matrix], Vector).experimental(),
    new("floor", &[Vector], Vector),
    new("histogram_avg", &[Vector], Vector),
    new("histogram_count", &[Vector], Vector),
    new("histogram_fraction", &[Scalar, Scalar, Vector], Vector),
    new("histogram_quantile", &[Scalar, Vector], Vector),
    new("histogram_quantiles", &[Vector, Text, Scalar, Scalar], Vector).up_to(9).experimental(),
    new("histogram_stddev", &[Vector], Vector),
    new("histogram_stdvar", &[Vector], Vector),
    new("histogram_sum", &[Vector], Vector),
    new("hour", &[Vector], Vector).up_to(1),
    new("idelta", &[Matrix], Vector),
    new("increase", &[Matrix], Vector),
    new("info", &[Vector, Vector], Vector).up_to(1).experimental(),
    new("integral", &[Matrix, Scalar], Vector).up_to(1).experimental(),
    new("irate", &[Matrix], Vector),
    new("label_join", &[Vector, Text, Text, Text], Vector).any(),
    new("label_replace", &[Vector, Text, Text, Text, Text], Vector),
    new("last_over_time", &[Matrix], Vector),
    new("ln", &[Vector], Vector),
    new("log10", &[Vector], Vector),
    new("log2", &[Vector], Vector),
    new("mad_over_time", &[Matrix], Vector).experimental(),
    new("max_of", &[Scalar, Scalar], Scalar).experimental(),
    new("max_over_time", &[Matrix], Vector),
    new("min_of", &[Scalar, Scalar], Scalar).experimental(),
    new("min_over_time", &[Matrix], Vector),
    new("minute", &[Vector], Vector).up_to(1),
    new("month", &[Vector], Vector).up_to(1),
    new("pi", &[], Scalar),
    new("predict_linear", &[Matrix, Scalar], Vector),
    new("present_over_time", &[Matrix], Vector),
    new("quantile_over_time", &[Scalar, Matrix], Vector),
    new("rad", &[Vector], Vector),
    new("range", &[], Scalar).experimental(),
    new("rate", &[Matrix], Vector),
    new("resets", &[Matrix], Vector),
    new("round", &[Vector, Scalar], Vector).up_to(1),
    new("scalar", &[Vector], Scalar),
    new("sgn", &[Vector], Vector),
    new("sin", &[Vector], Vector),
    new("sinh", &[Vector], Vector),
    new("sort", &[Vector], Vector),
    new("sort_by_label", &[Vector, Text], Vector).any().experimental(),
    new("sort_by_label_desc", &[Vector, Text], Vector).any().experimental(),
    new("sort_desc", &[Vector], Vector),
    new("sqrt", &[Vector], Vector),
    new("start", &[], Scalar).experimental(),
    new("start_timestamp", &[Vector], Vector).experimental(),
    new("stddev_over_time", &[Matrix], Vector),
    new("stdvar_over_time", &[Matrix], Vector),
    new("step", &[], Scalar).experimental(),
    new("sum_over_time", &[Matrix], Vector),
    new("tan", &[Vector], Vector),
    new("tanh", &[Vector], Vector),
    new("time", &[], Scalar),
    new("timestamp", &[Vector], Vector),
    new("ts_of_first_over_time", &[Matrix], Vector).experimental(),
    new("ts_of_last_over_time", &[Matrix], Vector).experimental(),
    new("ts_of_max_over_time", &[Matrix], Vector).experimental(),
    new("ts_of_min_over_time", &[Matrix], Vector).experimental(),
    new("vector", &[Scalar], Vector),
    new("year", &[Vector], Vector).up_to(1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_so_that_each_is_found() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(FUNCTIONS.iter().all(|known| function(known.name) == Some(known)));
        assert_eq!(function("rat"), None);
    }
}

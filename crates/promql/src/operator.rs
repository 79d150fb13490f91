//! Operators between two numbers.

use crate::ast::BinaryOp as Op;
use crate::grid::{ABSENT, is_absent};

/// Of two scalars; a comparison gives 1 or 0.
pub(crate) fn scalars(op: Op, left: f64, right: f64) -> f64 {
    if op.is_comparison() {
        f64::from(u8::from(compare(op, left, right)))
    } else {
        arithmetic(op, left, right)
    }
}

#[inline]
fn arithmetic(op: Op, left: f64, right: f64) -> f64 {
    match op {
        Op::Add => left + right,
        Op::Sub => left - right,
        Op::Mul => left * right,
        Op::Div => left / right,
        Op::Mod => left % right,
        Op::Pow => left.powf(right),
        Op::Atan2 => left.atan2(right),
        _ => f64::NAN,
    }
}

#[expect(clippy::float_cmp, reason = "PromQL compares exactly")]
#[inline]
fn compare(op: Op, left: f64, right: f64) -> bool {
    match op {
        Op::Equal => left == right,
        Op::NotEqual => left != right,
        Op::Greater => left > right,
        Op::Less => left < right,
        Op::GreaterEqual => left >= right,
        Op::LessEqual => left <= right,
        _ => false,
    }
}

/// How the results of two columns come about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Combine {
    pub op: Op,
    pub return_bool: bool,
    /// Whether the column that is overwritten stands to the right of the operator.
    pub swapped: bool,
    /// Whether a comparison that holds keeps the value of the other column.
    pub keep_other: bool,
}

impl Combine {
    /// Of two values that are there.
    #[inline]
    pub(crate) fn value(self, own: f64, other: f64) -> f64 {
        let (left, right) = if self.swapped { (other, own) } else { (own, other) };
        if !self.op.is_comparison() {
            return arithmetic(self.op, left, right);
        }
        let holds = compare(self.op, left, right);
        if self.return_bool {
            f64::from(u8::from(holds))
        } else if holds {
            if self.keep_other { other } else { own }
        } else {
            ABSENT
        }
    }

    /// Overwrites a column; nothing is where one of the two has nothing.
    pub(crate) fn columns(self, own: &mut [f64], other: &[f64]) {
        // The frequent operators in loops of their own, which the compiler can unroll.
        match self.op {
            Op::Add => zip(own, other, |a, b| a + b),
            Op::Mul => zip(own, other, |a, b| a * b),
            Op::Sub if !self.swapped => zip(own, other, |a, b| a - b),
            Op::Div if !self.swapped => zip(own, other, |a, b| a / b),
            _ => zip(own, other, |a, b| self.value(a, b)),
        }
    }
}

#[inline]
fn zip(own: &mut [f64], other: &[f64], value: impl Fn(f64, f64) -> f64) {
    for (own, other) in own.iter_mut().zip(other) {
        *own = if is_absent(*own) || is_absent(*other) { ABSENT } else { value(*own, *other) };
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_keeps_the_vectors_value() {
        let combine =
            Combine { op: Op::Less, return_bool: false, swapped: true, keep_other: false };
        let mut column = [4.0, 2.0, ABSENT];
        combine.columns(&mut column, &[3.0; 3]);
        assert_eq!(column[0], 4.0);
        assert!(is_absent(column[1]) && is_absent(column[2]));
    }

    #[test]
    fn the_remainder_has_the_sign_of_the_left() {
        assert_eq!(scalars(Op::Mod, -5.0, 3.0), -2.0);
        assert!(scalars(Op::Mod, 1.0, 0.0).is_nan());
    }
}

//! Functions of each value alone, as changes of a whole column in place.

use crate::dates::{Date, days_in_month};
use crate::grid::{ABSENT, Grid, is_absent, map_present, seconds};
use crate::operator::Combine;
use crate::plan::{DateFn, MapFn};

/// Overwrites a column.
pub(crate) type Change = Box<dyn Fn(&mut [f64]) + Send + Sync>;

pub(crate) fn negate() -> Change {
    each(|value| -value)
}

/// A function with the scalars that it takes besides the vector, each with a value for each point.
pub(crate) fn map(func: MapFn, scalars: Vec<Vec<f64>>) -> Change {
    let mut scalars = scalars.into_iter();
    let (first, second) = (scalars.next(), scalars.next());
    match func {
        MapFn::Abs => each(f64::abs),
        MapFn::Acos => each(f64::acos),
        MapFn::Acosh => each(f64::acosh),
        MapFn::Asin => each(f64::asin),
        MapFn::Asinh => each(f64::asinh),
        MapFn::Atan => each(f64::atan),
        MapFn::Atanh => each(f64::atanh),
        MapFn::Ceil => each(f64::ceil),
        MapFn::Cos => each(f64::cos),
        MapFn::Cosh => each(f64::cosh),
        MapFn::Deg => each(|value| value * 180.0 / std::f64::consts::PI),
        MapFn::Exp => each(f64::exp),
        MapFn::Floor => each(f64::floor),
        MapFn::Ln => each(f64::ln),
        MapFn::Log10 => each(f64::log10),
        MapFn::Log2 => each(f64::log2),
        MapFn::Rad => each(|value| value * std::f64::consts::PI / 180.0),
        MapFn::Sgn => each(|value| match value {
            value if value > 0.0 => 1.0,
            value if value < 0.0 => -1.0,
            value => value,
        }),
        MapFn::Sin => each(f64::sin),
        MapFn::Sinh => each(f64::sinh),
        MapFn::Sqrt => each(f64::sqrt),
        MapFn::Tan => each(f64::tan),
        MapFn::Tanh => each(f64::tanh),
        MapFn::Round => match first {
            None => each(|value| (value + 0.5).floor()),
            Some(nearest) => beside(nearest, |value, nearest| {
                // Dividing by the inverse is closer than multiplying by the number.
                let inverse = 1.0 / nearest;
                (value * inverse + 0.5).floor() / inverse
            }),
        },
        MapFn::ClampMax => beside(first.unwrap_or_default(), smaller),
        MapFn::ClampMin => beside(first.unwrap_or_default(), larger),
        MapFn::Clamp => clamp(first.unwrap_or_default(), second.unwrap_or_default()),
    }
}

fn clamp(min: Vec<f64>, max: Vec<f64>) -> Change {
    Box::new(move |column| {
        for ((value, min), max) in column.iter_mut().zip(&min).zip(&max) {
            if is_absent(*value) || max < min {
                *value = ABSENT;
            } else {
                *value = larger(*min, smaller(*max, *value));
            }
        }
    })
}

/// As Go's `math.Max`: an infinity that nothing exceeds goes before not-a-number.
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

/// As Go's `math.Min`.
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

fn each(map: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Change {
    Box::new(move |column| map_present(column, &map))
}

fn beside(scalar: Vec<f64>, map: impl Fn(f64, f64) -> f64 + Send + Sync + 'static) -> Change {
    Box::new(move |column| {
        for (value, scalar) in column.iter_mut().zip(&scalar) {
            *value = if is_absent(*value) { ABSENT } else { map(*value, *scalar) };
        }
    })
}

/// An operator whose other operand is a scalar.
pub(crate) fn combine(combine: Combine, scalar: Vec<f64>) -> Change {
    Box::new(move |column| combine.columns(column, &scalar))
}

/// Each value becomes the time of its step.
pub(crate) fn times(grid: &Grid) -> Change {
    let times: Vec<f64> = grid.times().map(seconds).collect();
    beside(times, |_, time| time)
}

pub(crate) fn date(func: DateFn) -> Change {
    each(move |value| part_of(func, value))
}

/// A part of the date so many seconds after 1970.
#[expect(clippy::cast_possible_truncation, reason = "saturates; fractions do not count")]
pub(crate) fn part_of(func: DateFn, seconds: f64) -> f64 {
    // The calendar is one of whole seconds in 64 bits; it ends in 292 billion years.
    const FAR: f64 = 9.2e18;
    if !seconds.is_finite() || seconds.abs() > FAR {
        return f64::NAN;
    }
    let date = Date::from_seconds(seconds as i64);
    let part = match func {
        DateFn::DayOfMonth => date.day,
        DateFn::DayOfWeek => date.day_of_week,
        DateFn::DayOfYear => date.day_of_year,
        DateFn::DaysInMonth => days_in_month(date.year, date.month),
        DateFn::Hour => date.hour,
        DateFn::Minute => date.minute,
        DateFn::Month => date.month,
        DateFn::Year => date.year,
    };
    part as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(func: MapFn, scalars: &[f64], value: f64, expected: f64) {
        let mut column = [value, ABSENT];
        map(func, scalars.iter().map(|scalar| vec![*scalar; 2]).collect())(&mut column);
        let same = (column[0] - expected).abs() < 1e-12 || column[0].is_nan() && expected.is_nan();
        assert!(same, "{} is not {expected}", column[0]);
        assert!(is_absent(column[1]));
    }

    #[test]
    fn ties_are_rounded_up() {
        check(MapFn::Round, &[], -0.5, 0.0);
        check(MapFn::Round, &[], 2.5, 3.0);
        check(MapFn::Round, &[0.1], 5.25, 5.3);
        check(MapFn::Round, &[5.0], 2.25, 0.0);
    }

    #[test]
    fn clamping_to_not_a_number_gives_it() {
        check(MapFn::Clamp, &[0.0, f64::NAN], 3.0, f64::NAN);
        check(MapFn::ClampMax, &[2.0], 3.0, 2.0);
        check(MapFn::ClampMin, &[f64::NAN], 3.0, f64::NAN);
        check(MapFn::Clamp, &[1.0, 2.0], -3.0, 1.0);
    }

    #[test]
    fn infinity_goes_before_not_a_number_as_in_go() {
        let (largest, nan) = (f64::INFINITY, f64::NAN);
        assert_eq!(larger(largest, nan), largest);
        assert_eq!(larger(nan, largest), largest);
        assert_eq!(smaller(-largest, nan), -largest);
        assert!(larger(-largest, nan).is_nan() && smaller(largest, nan).is_nan());
        assert!(larger(-0.0, 0.0).is_sign_positive() && smaller(0.0, -0.0).is_sign_negative());
        assert_eq!((larger(1.0, 2.0), smaller(1.0, 2.0)), (2.0, 1.0));
    }

    #[test]
    fn moments_before_1970_have_dates() {
        assert_eq!(part_of(DateFn::Year, -1.0), 1969.0);
        assert_eq!(part_of(DateFn::Hour, 1.5 * 3600.0), 1.0);
        assert!(part_of(DateFn::Year, f64::INFINITY).is_nan());
    }

    #[test]
    fn the_calendar_goes_on_for_billions_of_years() {
        assert_eq!(part_of(DateFn::Month, 1e18), 10.0);
        assert_eq!(part_of(DateFn::DayOfMonth, 1e18), 23.0);
        assert_eq!(part_of(DateFn::DayOfYear, 1e18), 297.0);
        assert_eq!(part_of(DateFn::Year, 9e18), 285_198_648_531.0);
        assert_eq!(part_of(DateFn::Year, -9e18), -285_198_644_592.0);
        assert_eq!(part_of(DateFn::Hour, 9e18), 16.0);
        assert_eq!(part_of(DateFn::DayOfWeek, 1e17), 3.0);
        assert!(part_of(DateFn::Year, 1e19).is_nan());
    }
}

//! Compares answers with what a script expects.

use barograph_model::Labels;
use barograph_promql::{Answer, Value};

use super::Outcome;
use super::read::{Expect, Text, When};
use barograph_promql::notation as values;

/// Relative.
const TOLERANCE: f64 = 1e-6;

type Checked = Result<(), String>;

pub(super) fn failure(expect: &Expect, error: &str) -> Outcome {
    let wanted = &expect.fail_texts;
    let message = error.split_once("parse error: ").map_or(error, |(_, message)| message);
    if wanted.is_empty() || wanted.iter().any(|text| text.fits(error) || text.fits(message)) {
        return Outcome::Passed;
    }
    Outcome::Failed(format!("it fails with `{error}`, wanted {wanted:?}"))
}

pub(super) fn answer(expect: &Expect, when: When, answer: &Answer) -> Outcome {
    if expect.fails {
        return Outcome::Failed(format!("it should fail, and gives {:?}", answer.value));
    }
    let checked = value(expect, when, &answer.value).and_then(|()| notes(expect, answer));
    checked.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

fn value(expect: &Expect, when: When, value: &Value) -> Checked {
    if let Some(wanted) = &expect.string {
        return match value {
            Value::String(text) if text == wanted => Ok(()),
            other => Err(format!("wanted the string {wanted:?}, got {other:?}")),
        };
    }
    if let Some((from_ms, step_ms)) = expect.matrix {
        return matrix(expect, from_ms, step_ms, value);
    }
    match (when, value) {
        (When::Range { from_ms, step_ms, .. }, value) => matrix(expect, from_ms, step_ms, value),
        (_, Value::Scalar(got)) => scalar(expect, *got),
        (_, Value::Vector(samples)) => {
            let got: Vec<_> = samples.iter().map(|sample| (&sample.labels, sample.value)).collect();
            vector(expect, &got)
        }
        (_, other) => Err(format!("an instant answers {other:?}")),
    }
}

fn scalar(expect: &Expect, got: f64) -> Checked {
    match expect.scalar {
        Some(wanted) if near(wanted, got) => Ok(()),
        wanted => Err(format!("wanted {wanted:?}, got the scalar {got}")),
    }
}

fn vector(expect: &Expect, got: &[(&Labels, f64)]) -> Checked {
    if let Some(wanted) = expect.scalar {
        return Err(format!("wanted the scalar {wanted}, got {got:?}"));
    }
    let wanted: Vec<(&Labels, f64)> = expect
        .series
        .iter()
        .map(|line| match line.values[..] {
            [values::Value::Number(value)] => Ok((&line.labels, value)),
            ref other => Err(format!("an instant has one value, not {other:?}")),
        })
        .collect::<Result<_, _>>()?;
    if wanted.len() != got.len() {
        return Err(format!("wanted {} series, got {}: {got:?}", wanted.len(), got.len()));
    }
    for (place, (labels, value)) in wanted.iter().enumerate() {
        let found = if expect.ordered {
            got.get(place).filter(|(other, _)| other == labels)
        } else {
            got.iter().find(|(other, _)| other == labels)
        };
        match found {
            Some((_, got)) if near(*value, *got) => {}
            Some((_, got)) => return Err(format!("{labels:?}: wanted {value}, got {got}")),
            None => return Err(format!("{labels:?} is not at its place in {got:?}")),
        }
    }
    Ok(())
}

fn matrix(expect: &Expect, from_ms: i64, step_ms: i64, value: &Value) -> Checked {
    let Value::Matrix(got) = value else {
        return Err(format!("a range answers {value:?}"));
    };
    // A scalar is a series without labels.
    if let (Some(wanted), [series]) = (expect.scalar, &got[..]) {
        return match series.samples.values.iter().find(|got| !near(wanted, **got)) {
            Some(odd) => Err(format!("wanted {wanted}, got {odd}")),
            None => Ok(()),
        };
    }
    let wanted: Vec<_> = expect
        .series
        .iter()
        .map(|line| {
            let points = (0..).map(|step| from_ms + step * step_ms).zip(&line.values);
            let numbers = points.filter_map(|(time, value)| match value {
                values::Value::Number(number) => Some((time, *number)),
                _ => None,
            });
            (&line.labels, numbers.collect::<Vec<_>>())
        })
        .collect();
    if wanted.len() != got.len() {
        return Err(format!("wanted {} series, got {}: {got:?}", wanted.len(), got.len()));
    }
    for (labels, points) in wanted {
        let Some(series) = got.iter().find(|series| series.labels == *labels) else {
            return Err(format!("{labels:?} is missing in {got:?}"));
        };
        let samples = &series.samples;
        let got: Vec<_> =
            samples.times.iter().copied().zip(samples.values.iter().copied()).collect();
        let same = points.len() == got.len()
            && points.iter().zip(&got).all(|(a, b)| a.0 == b.0 && near(a.1, b.1));
        if !same {
            return Err(format!("{labels:?}: wanted {points:?}, got {got:?}"));
        }
    }
    Ok(())
}

/// The expected instant within the answer to a range.
pub(super) fn middle(expect: &Expect, at_ms: i64, answer: &Answer) -> Outcome {
    let Value::Matrix(matrix) = &answer.value else {
        return Outcome::Failed(format!("a range answers {:?}", answer.value));
    };
    let at = |series: &barograph_promql::Series| {
        let place = series.samples.times.iter().position(|time| *time == at_ms)?;
        series.samples.values.get(place).copied()
    };
    let got: Vec<_> =
        matrix.iter().filter_map(|series| Some((&series.labels, at(series)?))).collect();
    let checked = match (expect.scalar, &got[..]) {
        (Some(_), [(_, got)]) => scalar(expect, *got),
        _ => vector(expect, &got),
    };
    checked.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

fn notes(expect: &Expect, answer: &Answer) -> Checked {
    note("warning", expect.warns, expect.no_warn, &expect.warn_texts, &answer.warnings)?;
    note("info", expect.informs, expect.no_info, &expect.info_texts, &answer.infos)
}

fn note(kind: &str, any: bool, none: bool, texts: &[Text], got: &[String]) -> Checked {
    if none && !got.is_empty() {
        return Err(format!("wanted no {kind}, got {got:?}"));
    }
    if any && got.is_empty() {
        return Err(format!("wanted a {kind}: {texts:?}"));
    }
    if let Some(missing) = texts.iter().find(|text| !got.iter().any(|got| text.fits(got))) {
        return Err(format!("wanted the {kind} {missing:?}, got {got:?}"));
    }
    let stranger = got.iter().find(|got| !texts.iter().any(|text| text.fits(got)));
    match stranger {
        Some(stranger) if !texts.is_empty() => Err(format!("unexpected {kind} {stranger:?}")),
        _ => Ok(()),
    }
}

fn near(a: f64, b: f64) -> bool {
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    #[expect(clippy::float_cmp, reason = "infinities are equal or not")]
    let equal = a == b;
    let difference = (a - b).abs();
    equal || difference <= TOLERANCE * (a.abs().max(b.abs())) || difference < f64::MIN_POSITIVE
}

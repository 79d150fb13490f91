//! Aggregations that need all series of a group side by side.

use std::collections::BTreeMap;

use barograph_model::METRIC_NAME;

use super::Members;
use super::xxh64::xxh64;
use crate::EvalError;
use crate::frame::{Frame, Line, absent_column, make_labels};
use crate::grid::{ABSENT, is_absent};
use crate::plan::Grouping;
use crate::window::quantile;

/// `quantile`, its parameter once for each point.
pub(crate) fn quantiles(q: &[f64], frame: &Frame, members: Members) -> Frame {
    let mut groups: Vec<Vec<&Line>> = vec![Vec::new(); members.labels.len()];
    for (line, group) in frame.lines.iter().zip(&members.group_of) {
        groups[*group].push(line);
    }
    let (mut values, mut room) = (Vec::new(), Vec::new());
    let lines = groups.into_iter().zip(members.labels).map(|(lines, labels)| {
        let column = q.iter().enumerate().map(|(point, q)| {
            values.clear();
            let here = lines.iter().filter_map(|line| line.values.get(point).copied());
            values.extend(here.filter(|value| !is_absent(*value)));
            if values.is_empty() { ABSENT } else { quantile(*q, &values, &mut room) }
        });
        let drop_name = lines.iter().any(|line| line.drop_name);
        Line { labels, drop_name, values: column.collect() }
    });
    let mut result = Frame::new(lines.collect());
    result.prune();
    result
}

/// `topk` and `bottomk`: keeps the values of the `k` that come first.
pub(crate) fn top(k: &[f64], frame: Frame, members: &Members, largest: bool) -> Frame {
    let beats = |a: f64, b: f64| if largest { a > b } else { a < b };
    sift(k, frame, members, |point, lines, chosen, k| {
        // Not-a-numbers come last; of equal ones the first.
        chosen.sort_by(|a, b| {
            let (a, b) = (lines[*a].values[point], lines[*b].values[point]);
            match (a.is_nan(), b.is_nan()) {
                (false, false) if beats(a, b) => std::cmp::Ordering::Less,
                (false, false) if beats(b, a) => std::cmp::Ordering::Greater,
                (a_nan, b_nan) => a_nan.cmp(&b_nan),
            }
        });
        chosen.truncate(k);
    })
}

/// `limitk`: keeps any `k`.
pub(crate) fn limit(k: &[f64], frame: Frame, members: &Members) -> Frame {
    sift(k, frame, members, |_, _, chosen, k| chosen.truncate(k))
}

/// Keeps what `choose` leaves of each group's series at each point. With one point, lines come in
/// the order chosen.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn sift(
    k: &[f64],
    frame: Frame,
    members: &Members,
    choose: impl Fn(usize, &[Line], &mut Vec<usize>, usize),
) -> Frame {
    let Frame { mut lines, .. } = frame;
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); members.labels.len()];
    for (index, group) in members.group_of.iter().enumerate() {
        groups[*group].push(index);
    }
    let mut order = Vec::new();
    let mut chosen = Vec::new();
    let mut keep = vec![false; lines.len()];
    for (point, k) in k.iter().enumerate() {
        keep.fill(false);
        order.clear();
        for group in &groups {
            chosen.clear();
            chosen.extend(group.iter().filter(|line| !is_absent(lines[**line].values[point])));
            choose(point, &lines, &mut chosen, *k as usize);
            for line in &chosen {
                keep[*line] = true;
            }
            order.extend_from_slice(&chosen);
        }
        for (line, keep) in lines.iter_mut().zip(&keep) {
            if !keep {
                line.values[point] = ABSENT;
            }
        }
    }
    if k.len() == 1 {
        let mut taken: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
        let lines = order.into_iter().filter_map(|line| taken[line].take()).collect();
        return Frame { lines, ordered: true };
    }
    let mut result = Frame::new(lines);
    result.prune();
    result
}

/// The ratio, brought into the range from -1 to 1.
pub(crate) fn ratio_in_range(ratio: f64) -> f64 {
    ratio.clamp(-1.0, 1.0)
}

/// `limit_ratio`: keeps about this part of the series; a negative ratio keeps those that the
/// ratio plus 1 drops. Which ones only depends on their labels.
pub(crate) fn limit_ratio(ratio: &[f64], mut frame: Frame) -> Frame {
    for line in &mut frame.lines {
        let place = place(line);
        for (value, ratio) in line.values.iter_mut().zip(ratio) {
            let ratio = ratio_in_range(*ratio);
            let keep = if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio };
            if !keep {
                *value = ABSENT;
            }
        }
    }
    frame.prune();
    frame
}

/// Between 0 and 1, the same as in Prometheus: its labels are hashed in the form in which they are
/// held there, where a length is a byte, or 255 and three bytes.
fn place(line: &Line) -> f64 {
    const LONG: usize = 255;
    let mut bytes = Vec::with_capacity(128);
    for text in line.labels.iter().flat_map(|(name, value)| [name, value]) {
        let length = text.len().to_le_bytes();
        match length {
            [low, ..] if text.len() < LONG => bytes.push(low),
            [low, middle, high, ..] => bytes.extend([u8::MAX, low, middle, high]),
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxh64(&bytes) as f64 / u64::MAX as f64
}

/// `count_values`: for each group and value a series whose label `label` is the value, unless the
/// grouping takes that label away. Holds at most about `max` counts.
pub(crate) fn count_values(
    label: &str,
    grouping: &Grouping,
    frame: &Frame,
    members: &Members,
    points: usize,
    max: usize,
) -> Result<Frame, EvalError> {
    let mut counts: BTreeMap<(usize, String), (bool, Vec<f64>)> = BTreeMap::new();
    for (line, group) in frame.lines.iter().zip(&members.group_of) {
        for (point, value) in line.values.iter().enumerate() {
            if is_absent(*value) {
                continue;
            }
            if counts.len().saturating_mul(points) > max {
                return Err(EvalError::TooManySamples { max });
            }
            let (drop_name, column) = counts
                .entry((*group, plain(*value)))
                .or_insert_with(|| (false, absent_column(points)));
            *drop_name |= line.drop_name;
            if let Some(count) = column.get_mut(point) {
                *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
            }
        }
    }
    let is_taken_away = grouping.without
        && (label == METRIC_NAME || grouping.labels.iter().any(|without| without == label));
    let lines = counts.into_iter().map(|((group, value), (drop_name, values))| {
        let others = members.labels[group].iter().filter(|(name, _)| *name != label);
        let own = Some((label, value.as_str())).filter(|_| !is_taken_away);
        let labels = make_labels(others.chain(own))?;
        Ok(Line { labels, drop_name, values })
    });
    let lines: Vec<Line> = lines.collect::<Result<_, EvalError>>()?;
    Ok(add_same(lines))
}

/// The label may have been one that told groups apart.
fn add_same(lines: Vec<Line>) -> Frame {
    let mut merged: Vec<Line> = Vec::with_capacity(lines.len());
    let mut at = std::collections::HashMap::new();
    for line in lines {
        let next = merged.len();
        let index = *at.entry(line.labels.clone()).or_insert(next);
        let Some(known) = merged.get_mut(index) else {
            merged.push(line);
            continue;
        };
        known.drop_name |= line.drop_name;
        for (count, more) in known.values.iter_mut().zip(line.values) {
            if !is_absent(more) {
                *count = if is_absent(*count) { more } else { *count + more };
            }
        }
    }
    Frame::new(merged)
}

/// A number as Prometheus writes it into labels: no exponent, the shortest that reads back.
fn plain(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

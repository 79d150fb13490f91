//! Operators between two vectors, whose series find each other by labels.

use std::collections::HashMap;

use barograph_model::{Labels, METRIC_NAME};

use crate::EvalError;
use crate::ast::{BinaryOp, Cardinality, Matching};
use crate::frame::{Frame, Line, make_labels};
use crate::grid::{ABSENT, is_absent};
use crate::keys::{By, Groups};
use crate::operator::Combine;
use crate::plan::Binary;
use crate::quote::quoted;

/// `and`, `or`, `unless`
pub(crate) fn sets(
    op: BinaryOp,
    matching: &Matching,
    lhs: Frame,
    rhs: Frame,
) -> Result<Frame, EvalError> {
    let mut groups = Groups::new(by(matching));
    let (deciding, decided) = if op == BinaryOp::Or { (&lhs, &rhs) } else { (&rhs, &lhs) };
    let points = deciding.lines.first().or(decided.lines.first()).map_or(0, |l| l.values.len());
    // For each group, where the deciding side has anything.
    let mut there: Vec<Vec<bool>> = Vec::new();
    for line in &deciding.lines {
        let number = groups.number(&line.labels);
        if number == there.len() {
            there.push(vec![false; points]);
        }
        if let Some(there) = there.get_mut(number) {
            for (there, value) in there.iter_mut().zip(&line.values) {
                *there |= !is_absent(*value);
            }
        }
    }
    let keep_where_there = op == BinaryOp::And;
    let mut sift = |lines: &mut Vec<Line>| {
        for line in lines {
            match groups.find(&line.labels).and_then(|number| there.get(number)) {
                Some(there) => {
                    for (value, there) in line.values.iter_mut().zip(there) {
                        if *there != keep_where_there {
                            *value = ABSENT;
                        }
                    }
                }
                None if keep_where_there => line.values.fill(ABSENT),
                None => {}
            }
        }
    };
    let (mut lhs, mut rhs) = (lhs, rhs);
    if op != BinaryOp::Or {
        sift(&mut lhs.lines);
        lhs.prune();
        return Ok(lhs);
    }
    sift(&mut rhs.lines);
    rhs.prune();
    if rhs.lines.is_empty() {
        return Ok(lhs);
    }
    lhs.lines.append(&mut rhs.lines);
    lhs.ordered = false;
    lhs.merge_same()
}

fn by(matching: &Matching) -> By<'_> {
    By { named: matching.on, names: &matching.labels }
}

/// The series of one group, by their place among the lines of each side.
#[derive(Debug, Default)]
struct Group {
    many: Vec<usize>,
    one: Vec<usize>,
}

/// Arithmetic and comparisons.
pub(crate) fn operate(
    binary: &Binary,
    lhs: &Frame,
    rhs: &Frame,
    points: usize,
) -> Result<Frame, EvalError> {
    let Binary { op, return_bool, ref matching, .. } = *binary;
    let swapped = matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
    let (fill_many, fill_one) = if swapped {
        (matching.fill_right, matching.fill_left)
    } else {
        (matching.fill_left, matching.fill_right)
    };
    let side = Sides {
        many,
        one,
        fill_many,
        fill_one,
        matching,
        combine: Combine { op, return_bool, swapped, keep_other: swapped },
        points,
    };
    side.frame()
}

struct Sides<'a> {
    many: &'a Frame,
    one: &'a Frame,
    fill_many: Option<f64>,
    fill_one: Option<f64>,
    matching: &'a Matching,
    combine: Combine,
    points: usize,
}

impl Sides<'_> {
    fn frame(&self) -> Result<Frame, EvalError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut numbers = Groups::new(by(self.matching));
        for (index, line) in self.one.lines.iter().enumerate() {
            let number = numbers.number(&line.labels);
            groups.resize_with(groups.len().max(number + 1), Group::default);
            groups[number].one.push(index);
        }
        for (index, line) in self.many.lines.iter().enumerate() {
            let number = numbers.number(&line.labels);
            groups.resize_with(groups.len().max(number + 1), Group::default);
            groups[number].many.push(index);
        }
        let mut lines = Vec::new();
        for group in &groups {
            self.unique(group)?;
            self.group(group, &mut lines)?;
        }
        let mut frame = Frame::new(lines);
        frame.prune();
        frame.merge_same()
    }

    /// The one side may have only one series of the group at a time, as long as the other side has
    /// any at all.
    fn unique(&self, group: &Group) -> Result<(), EvalError> {
        let [first, rest @ ..] = group.one.as_slice() else { return Ok(()) };
        if rest.is_empty() {
            return Ok(());
        }
        let mut holder: Vec<Option<usize>> = vec![None; self.points];
        for index in [first].into_iter().chain(rest) {
            let line = &self.one.lines[*index];
            for (point, value) in line.values.iter().enumerate() {
                if is_absent(*value) {
                    continue;
                }
                match holder.get_mut(point) {
                    Some(Some(other)) if self.any_of_many(point) => {
                        return Err(self.duplicate(line, &self.one.lines[*other]));
                    }
                    Some(holder) => *holder = Some(*index),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn any_of_many(&self, point: usize) -> bool {
        self.fill_many.is_some()
            || self
                .many
                .lines
                .iter()
                .any(|line| line.values.get(point).is_some_and(|value| !is_absent(*value)))
    }

    fn duplicate(&self, line: &Line, other: &Line) -> EvalError {
        let side = if self.combine.swapped { "left" } else { "right" };
        let group = by(self.matching).labels(&line.labels);
        let group = group.map_or_else(|_| String::new(), |labels| prometheus_text(&labels));
        EvalError::Execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the \
             operation: [{}, {}];many-to-many matching not allowed: matching labels must be \
             unique on one side",
            prometheus_text(&other.labels),
            prometheus_text(&line.labels)
        ))
    }

    /// The results of one group.
    fn group(&self, group: &Group, lines: &mut Vec<Line>) -> Result<(), EvalError> {
        let mut outcomes = Outcomes::new(self.matching.cardinality, self.points);
        let alone = group.many.len() <= 1 && group.one.len() <= 1;
        for many in &group.many {
            let many = &self.many.lines[*many];
            for one in &group.one {
                let one = &self.one.lines[*one];
                let labels = self.labels(&many.labels, &one.labels)?;
                if !alone {
                    outcomes.pair(&labels, &many.values, &one.values)?;
                }
                let mut values = many.values.clone();
                self.combine.columns(&mut values, &one.values);
                lines.push(self.line(labels, values, many.drop_name));
            }
            if let Some(fill) = self.fill_one {
                let labels = by(self.matching).labels(&many.labels)?;
                let labels = self.labels(&many.labels, &labels)?;
                let missing =
                    self.missing(group.one.iter().map(|index| &self.one.lines[*index]), fill);
                if !alone {
                    outcomes.pair(&labels, &many.values, &missing)?;
                }
                let mut values = many.values.clone();
                self.combine.columns(&mut values, &missing);
                lines.push(self.line(labels, values, many.drop_name));
            }
        }
        if let Some(fill) = self.fill_many {
            for one in &group.one {
                let one = &self.one.lines[*one];
                let labels = by(self.matching).labels(&one.labels)?;
                let labels = self.labels(&labels, &one.labels)?;
                let mut values =
                    self.missing(group.many.iter().map(|index| &self.many.lines[*index]), fill);
                self.combine.columns(&mut values, &one.values);
                lines.push(self.line(labels, values, false));
            }
        }
        Ok(())
    }

    fn line(&self, labels: Labels, values: Vec<f64>, drop_name: bool) -> Line {
        Line { labels, drop_name: drop_name || self.combine.return_bool, values }
    }

    /// The fill value wherever none of these lines has one.
    fn missing<'l>(&self, lines: impl Iterator<Item = &'l Line>, fill: f64) -> Vec<f64> {
        let mut missing = vec![fill; self.points];
        for line in lines {
            for (missing, value) in missing.iter_mut().zip(&line.values) {
                if !is_absent(*value) {
                    *missing = ABSENT;
                }
            }
        }
        missing
    }

    /// The labels of a result.
    fn labels(&self, many: &Labels, one: &Labels) -> Result<Labels, EvalError> {
        let Matching { on, labels: names, cardinality, include, .. } = self.matching;
        let arithmetic = !self.combine.op.is_comparison();
        let named = |name: &str| names.iter().any(|known| known == name);
        let kept = many.iter().filter(|(name, _)| {
            !(arithmetic && *name == METRIC_NAME)
                && (*cardinality != Cardinality::OneToOne || named(name) == *on)
                && !include.iter().any(|included| included == name)
        });
        let included =
            include.iter().filter_map(|name| one.get(name).map(|value| (name.as_str(), value)));
        make_labels(kept.chain(included))
    }
}

/// Sees to it that each result of a group comes from one pair at a time, also where a comparison
/// then drops it.
struct Outcomes {
    cardinality: Cardinality,
    /// For each set of labels, where there already was a pair.
    taken: HashMap<Option<Labels>, Vec<bool>>,
    points: usize,
}

impl Outcomes {
    fn new(cardinality: Cardinality, points: usize) -> Self {
        Self { cardinality, taken: HashMap::new(), points }
    }

    fn pair(&mut self, labels: &Labels, many: &[f64], one: &[f64]) -> Result<(), EvalError> {
        let labels = (self.cardinality != Cardinality::OneToOne).then(|| labels.clone());
        let taken = self.taken.entry(labels).or_insert_with(|| vec![false; self.points]);
        for ((taken, many), one) in taken.iter_mut().zip(many).zip(one) {
            let pair = !is_absent(*many) && !is_absent(*one);
            if *taken && pair {
                return Err(EvalError::Execution(
                    match self.cardinality {
                        Cardinality::OneToOne => {
                            "multiple matches for labels: many-to-one matching must be explicit \
                             (group_left/group_right)"
                        }
                        _ => {
                            "multiple matches for labels: grouping labels must ensure unique \
                             matches"
                        }
                    }
                    .to_owned(),
                ));
            }
            *taken |= pair;
        }
        Ok(())
    }
}

/// `{__name__="a", b="c"}`, as Prometheus' errors show labels.
fn prometheus_text(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

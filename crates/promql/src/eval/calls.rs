//! Functions that see a whole vector at a time.

use std::cmp::Ordering;

use barograph_model::{METRIC_NAME, MatchOp, Matcher};
use regex::Regex;

use super::{Eval, anywhere, label_name, text, unlabelled};
use crate::EvalError;
use crate::change;
use crate::frame::{Frame, Line, make_labels};
use crate::grid::{ABSENT, Grid, is_absent, seconds};
use crate::histogram::{bucket_fraction, bucket_quantile, histograms};
use crate::notes::{Note, Repair};
use crate::plan::{DateFn, Func, Kind, MatrixOf, Node, RangeFn};

impl Eval<'_> {
    pub(super) fn call(
        &self,
        func: Func,
        args: &[Node],
        node: &Node,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        match (func, args) {
            (Func::Range(func), _) => self.over_subquery(func, args, grid),
            (Func::Date(func), []) => dates(func, grid),
            (Func::Absent, [of]) => absent(&self.vector(of, grid)?, of, grid),
            (Func::AbsentOverTime, [of]) => self.absent_over_time(of, args, grid),
            (Func::Vector, [scalar]) => unlabelled(self.scalar(scalar, grid)?),
            (Func::Sort { descending }, [of]) => {
                let mut frame = self.sortable(of, node, grid)?;
                frame.lines.sort_by(|a, b| by_value(a, b, descending));
                Ok(frame)
            }
            (Func::SortByLabel { descending }, [of, names @ ..]) => {
                let names: Vec<&str> = names.iter().map(text).collect::<Result<_, _>>()?;
                let mut frame = self.sortable(of, node, grid)?;
                frame.lines.sort_by(|a, b| by_labels(a, b, &names));
                if descending {
                    frame.lines.reverse();
                }
                Ok(frame)
            }
            (Func::LabelReplace, [of, to, replacement, from, regex]) => {
                let to = label_name(to, "invalid destination label name in label_replace():")?;
                let (replacement, from) = (text(replacement)?, text(from)?);
                let regex = anchored(text(regex)?)?;
                label_replace(self.vector(of, grid)?, to, replacement, from, &regex)
            }
            (Func::LabelJoin, [of, to, separator, from @ ..]) => {
                let to = label_name(to, "invalid destination label name in label_join():")?;
                let separator = text(separator)?;
                let from: Vec<&str> = from
                    .iter()
                    .map(|name| label_name(name, "invalid source label name in label_join():"))
                    .collect::<Result<_, _>>()?;
                label_join(self.vector(of, grid)?, to, separator, &from)
            }
            (Func::HistogramQuantile, [q, of]) => {
                let qs = [(q, None)];
                self.histogram_quantile(of, &qs, None, grid)
            }
            (Func::HistogramQuantiles, [of, label, qs @ ..]) => {
                let label = label_name(label, "invalid label name")?;
                let qs: Vec<(&Node, Option<usize>)> =
                    qs.iter().enumerate().map(|(index, q)| (q, Some(index))).collect();
                self.histogram_quantile(of, &qs, Some(label), grid)
            }
            (Func::HistogramFraction, [lower, upper, of]) => {
                self.histogram_fraction(lower, upper, of, grid)
            }
            (Func::StartTimestamp, [_]) => {
                let text = "samples have no start timestamps here, so start_timestamp() is empty";
                self.notes.add(node.start, Note::Info(text.to_owned()));
                Ok(Frame::default())
            }
            (Func::Info, [of]) => self.info(of, None, grid),
            (Func::Info, [of, labels]) => self.info(of, Some(labels), grid),
            _ => Err(EvalError::Execution("wrong number of arguments".to_owned())),
        }
    }

    pub(super) fn scalar_call(
        &self,
        func: Func,
        args: &[Node],
        grid: &Grid,
    ) -> Result<Vec<f64>, EvalError> {
        match (func, args) {
            (Func::Time, []) => Ok(grid.times().map(seconds).collect()),
            (Func::Scalar, [of]) => Ok(only_one(&self.vector(of, grid)?, grid.points)),
            (Func::Extreme { largest }, [left, right]) => {
                let pairs = self.scalar(left, grid)?.into_iter().zip(self.scalar(right, grid)?);
                let chosen = if largest { change::larger } else { change::smaller };
                Ok(pairs.map(|(left, right)| chosen(left, right)).collect())
            }
            _ => Err(EvalError::Execution("wrong number of arguments".to_owned())),
        }
    }

    /// A vector that is to be sorted, which only an instant query keeps.
    fn sortable(&self, of: &Node, node: &Node, grid: &Grid) -> Result<Frame, EvalError> {
        if grid.points > 1 {
            self.notes.warn(
                node.start,
                "sort is ineffective for range queries since results are always ordered by labels",
            );
        }
        let mut frame = self.vector(of, grid)?;
        frame.ordered = true;
        Ok(frame)
    }

    fn absent_over_time(&self, of: &Node, args: &[Node], grid: &Grid) -> Result<Frame, EvalError> {
        let present = RangeFn::Present;
        let frame = match self.range_chain(present, args, grid)? {
            Some(chain) => self.collect(&chain, false)?,
            None => self.over_subquery(present, args, grid)?,
        };
        absent(&frame, of, grid)
    }

    fn histogram_quantile(
        &self,
        of: &Node,
        qs: &[(&Node, Option<usize>)],
        label: Option<&str>,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        let mut lines = Vec::new();
        let mut columns = Vec::new();
        for (q, _) in qs {
            let values = self.scalar(q, grid)?;
            if let Some(note) = super::ranges::bad_quantile(&values) {
                self.notes.add(q.start, note);
            }
            columns.push(values);
        }
        let frame = self.vector(of, grid)?;
        let found = histograms(&frame, of.start, &self.notes)?;
        self.watch.hold(found.len().saturating_mul(qs.len()), grid.points)?;
        let mut room = Vec::new();
        for q in &columns {
            for histogram in &found {
                let mut values = Vec::with_capacity(grid.points);
                for (point, q) in q.iter().enumerate() {
                    histogram.buckets(point, &mut room);
                    if room.is_empty() {
                        values.push(ABSENT);
                        continue;
                    }
                    let (value, decrease) = bucket_quantile(*q, &mut room);
                    values.push(value);
                    if let Some(decrease) = decrease {
                        let time = grid.time(point);
                        let repair = Repair {
                            first_ms: time,
                            last_ms: time,
                            min_bucket: decrease.min_bound,
                            max_bucket: decrease.max_bound,
                            max_diff: decrease.max_diff,
                            samples: 1,
                        };
                        self.notes.repaired(of.start, histogram.labels.name(), repair);
                    }
                }
                let labels = match label {
                    None => histogram.labels.clone(),
                    Some(label) => {
                        let q = q.first().copied().unwrap_or(f64::NAN);
                        let others = histogram.labels.iter().filter(|(name, _)| *name != label);
                        let value = open_metrics(q);
                        make_labels(others.chain([(label, value.as_str())]))?
                    }
                };
                lines.push(Line { labels, drop_name: true, values });
            }
        }
        let mut frame = Frame::new(lines);
        frame.prune();
        Ok(frame)
    }

    fn histogram_fraction(
        &self,
        lower: &Node,
        upper: &Node,
        of: &Node,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        let (lower, upper) = (self.scalar(lower, grid)?, self.scalar(upper, grid)?);
        let frame = self.vector(of, grid)?;
        let mut room = Vec::new();
        let lines = histograms(&frame, of.start, &self.notes)?.into_iter().map(|histogram| {
            let bounds = lower.iter().zip(&upper).enumerate();
            let values = bounds.map(|(point, (lower, upper))| {
                histogram.buckets(point, &mut room);
                if room.is_empty() { ABSENT } else { bucket_fraction(*lower, *upper, &room) }
            });
            let values = values.collect();
            Line { labels: histogram.labels, drop_name: true, values }
        });
        let mut frame = Frame::new(lines.collect());
        frame.prune();
        Ok(frame)
    }
}

/// The parts of each step's date.
fn dates(func: DateFn, grid: &Grid) -> Result<Frame, EvalError> {
    unlabelled(grid.times().map(|time| change::part_of(func, seconds(time))).collect())
}

/// 1 where the vector has nothing, with the labels that it would have had to have.
fn absent(frame: &Frame, of: &Node, grid: &Grid) -> Result<Frame, EvalError> {
    let mut values = anywhere(frame, grid.points);
    for value in &mut values {
        *value = if is_absent(*value) { 1.0 } else { ABSENT };
    }
    let matchers: &[Matcher] = match &of.kind {
        Kind::Select(selector) => &selector.matchers,
        Kind::Matrix(matrix) => match &matrix.of {
            MatrixOf::Series { matchers, .. } => matchers,
            MatrixOf::Subquery { .. } => &[],
        },
        _ => &[],
    };
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.label() != METRIC_NAME) {
        if matcher.op() == MatchOp::Equal && !seen.contains(&matcher.label()) {
            wanted.push((matcher.label(), matcher.value()));
            seen.push(matcher.label());
        } else {
            wanted.retain(|(name, _)| *name != matcher.label());
        }
    }
    let labels = make_labels(wanted)?;
    let mut frame = Frame::new(vec![Line { labels, drop_name: false, values }]);
    frame.prune();
    Ok(frame)
}

/// The value where there is exactly one.
fn only_one(frame: &Frame, points: usize) -> Vec<f64> {
    let mut values = vec![ABSENT; points];
    for line in &frame.lines {
        for (value, new) in values.iter_mut().zip(&line.values) {
            if !is_absent(*new) {
                *value = if is_absent(*value) { *new } else { f64::NAN };
            }
        }
    }
    // A third value would follow a not-a-number that stands for two, and be one, too.
    for value in &mut values {
        if is_absent(*value) {
            *value = f64::NAN;
        }
    }
    values
}

fn by_value(a: &Line, b: &Line, descending: bool) -> Ordering {
    let value = |line: &Line| line.values.first().copied().unwrap_or(f64::NAN);
    let (a, b) = (value(a), value(b));
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}

fn by_labels(a: &Line, b: &Line, names: &[&str]) -> Ordering {
    for name in names {
        let value = |line: &Line| line.labels.get(name).unwrap_or_default().to_owned();
        let order = natural(&value(a), &value(b));
        if order.is_ne() {
            return order;
        }
    }
    a.labels.iter().cmp(b.labels.iter())
}

/// Numbers in texts count as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some((first_a, rest_a)), Some((first_b, rest_b))) = (run(a), run(b)) else {
            return a.len().cmp(&b.len());
        };
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(first_a) && digits(first_b) {
            let (a, b) = (first_a.trim_start_matches('0'), first_b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            first_a.cmp(first_b)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The digits, or the other characters, that a text starts with.
fn run(text: &str) -> Option<(&str, &str)> {
    let is_digit = text.chars().next()?.is_ascii_digit();
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len());
    text.split_at_checked(end)
}

fn anchored(pattern: &str) -> Result<Regex, EvalError> {
    const MAX_COMPILED_BYTES: usize = 4 * 1024 * 1024;
    regex::RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|_| {
            let problem = "invalid regular expression in label_replace():";
            EvalError::Execution(format!("{problem} {pattern}"))
        })
}

fn label_replace(
    mut frame: Frame,
    to: &str,
    replacement: &str,
    from: &str,
    regex: &Regex,
) -> Result<Frame, EvalError> {
    let mut value = String::new();
    for line in &mut frame.lines {
        let Some(found) = regex.captures(line.labels.get(from).unwrap_or_default()) else {
            continue;
        };
        value.clear();
        found.expand(replacement, &mut value);
        let others = line.labels.iter().filter(|(name, _)| *name != to);
        line.labels = make_labels(others.chain([(to, value.as_str())]))?;
        line.drop_name &= to != METRIC_NAME;
    }
    frame.merge_same()
}

fn label_join(
    mut frame: Frame,
    to: &str,
    separator: &str,
    from: &[&str],
) -> Result<Frame, EvalError> {
    for line in &mut frame.lines {
        let values: Vec<&str> =
            from.iter().map(|name| line.labels.get(name).unwrap_or_default()).collect();
        let value = values.join(separator);
        let others = line.labels.iter().filter(|(name, _)| *name != to);
        line.labels = make_labels(others.chain([(to, value.as_str())]))?;
        line.drop_name &= to != METRIC_NAME;
    }
    frame.merge_same()
}

/// A number as OpenMetrics writes it into labels: with a point or an exponent.
fn open_metrics(value: f64) -> String {
    let text = crate::notes::go_g(value);
    if text.contains(['.', 'e', 'N', 'I']) { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_sort_as_numbers() {
        let mut names = ["4m1000", "4m5", "10", "4m600", "1.111.3", "2", "1.2.3", "1.11.3"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["1.2.3", "1.11.3", "1.111.3", "2", "4m5", "4m600", "4m1000", "10"]);
    }

    #[test]
    fn numbers_in_labels_have_a_point() {
        assert_eq!(open_metrics(1.0), "1.0");
        assert_eq!(open_metrics(0.25), "0.25");
        assert_eq!(open_metrics(f64::INFINITY), "+Inf");
    }
}

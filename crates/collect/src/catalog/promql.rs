//! A counter's formula as PromQL, for asking the history.

use std::fmt::Write;

use barograph_model::{Instance, Pattern};

use super::TOTAL_INSTANCE;
use super::formula::{Clamp, Sign, Term, Value};
use super::row::{Instances, Row, Total};
use crate::cpu_details::NODE;

/// What of a counter's history is asked for.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Absent or `*`: every instance by itself, without `_Total`.
    pub instance: Option<&'a Instance>,
    /// Absent: every host by itself.
    pub host: Option<&'a str>,
    /// What rates are taken over, as in PromQL: `1m`.
    pub window: &'a str,
}

impl Row {
    /// The expression that gives this counter on history; nothing if no series can be meant: an
    /// index other than 0, as stored names are unique, or a `_Total` that the object lacks.
    pub fn promql(&self, history: &History<'_>) -> Option<String> {
        let mut query = Query { row: self, history, matchers: Vec::new(), summed: &[] };
        if let Some(host) = history.host {
            query.matchers.push(format!("host={}", quoted(host)));
        }
        let wants_total = history.instance.is_some_and(|i| i.name.as_str() == TOTAL_INSTANCE);
        if history.instance.and_then(|instance| instance.index).is_some_and(|index| index > 0) {
            return None;
        }
        if matches!(self.formula.value, Value::OfProcess(_) | Value::OnlyWindows { .. }) {
            return None;
        }
        match self.instances {
            Instances::Processes { .. } => None,
            Instances::None => Some(query.formula()),
            Instances::OnlyTotal => {
                let fits = history.instance.is_none_or(|i| i.name.matches(TOTAL_INSTANCE));
                fits.then(|| query.formula())
            }
            Instances::Each { label, total } if wants_total => query.total(label, total),
            Instances::OfNodes { total } if wants_total => query.total("cpu", total),
            Instances::Each { label, .. } => {
                let matcher = history.instance.and_then(|i| matcher(label, &i.name));
                query.matchers.extend(matcher);
                Some(query.formula())
            }
            Instances::OfNodes { .. } => {
                match history.instance.map(|instance| instance.name.as_str()) {
                    None | Some("*" | "*,*") => Some(query.formula()),
                    Some(name) => query.of_place(name),
                }
            }
        }
    }
}

struct Query<'a> {
    row: &'a Row,
    history: &'a History<'a>,
    matchers: Vec<String>,
    /// Labels of instances that are added up.
    summed: &'a [&'static str],
}

impl Query<'_> {
    /// What an instance `node,index` means. Each node numbers its processors anew; a host that
    /// tells of no nodes has one, with all processors.
    fn of_place(&self, instance: &str) -> Option<String> {
        let (node, index) = instance.split_once(',')?;
        if index == TOTAL_INSTANCE {
            // It is not stored.
            return None;
        }
        let node = if node == "*" { None } else { Some(node.parse::<u32>().ok()?) };
        let index = Pattern::new(index);
        let with = |label| self.matchers.iter().cloned().chain(matcher(label, &index)).collect();
        let name = NODE.name;
        let placed: Vec<String> = with("index");
        let is_it = node.map_or_else(String::new, |node| format!(" == {node}"));
        let told =
            format!("{} and on (host, cpu) ({name}{}{is_it})", self.formula(), braced(&placed));
        if node.is_some_and(|node| node > 0) {
            return Some(told);
        }
        let alone = Query { matchers: with("cpu"), ..*self }.formula();
        Some(format!("({told}) or ({alone} unless on (host) {name}{})", braced(&self.matchers)))
    }

    fn total(mut self, label: &str, total: Total) -> Option<String> {
        let first = self.row.formula.descs().next()?;
        let labels: Vec<&'static str> = first
            .labels
            .iter()
            .copied()
            .filter(|name| self.row.formula.value.sums().flatten().all(|t| !is_added_up(t, name)))
            .collect();
        if !total.without().is_empty() {
            let alternatives: Vec<_> = total.without().iter().map(|p| escaped(p)).collect();
            let regex = format!("({}).*", alternatives.join("|"));
            self.matchers.push(format!("{label}!~{}", quoted(&regex)));
        }
        match total {
            Total::Absent => None,
            Total::RateOf(sum) => Some(self.sum(sum, true).0),
            Total::OfSums { .. } => Some(Query { summed: &labels, ..self }.formula()),
            Total::Mean { .. } => {
                Some(format!("avg without ({}) ({})", labels.join(", "), self.formula()))
            }
        }
    }

    fn formula(&self) -> String {
        let formula = &self.row.formula;
        let (value, is_simple) = match formula.value {
            Value::Level(sum) => self.sum(sum, false),
            Value::Rate(sum) => self.sum(sum, true),
            Value::LevelShare { part, whole } => (self.share(part, whole, false), true),
            Value::RateShare { part, whole } => (self.share(part, whole, true), true),
            Value::WeightedShare { part, whole, weight, full } => {
                let weight = self.share(weight, full, false);
                (format!("{} * {weight}", self.share(part, whole, true)), true)
            }
            // Refused before.
            Value::OfProcess(_) | Value::OnlyWindows { .. } => (String::new(), true),
        };
        let is_scaled = (formula.scale - 1.0).abs() > f64::EPSILON;
        let value = if is_scaled && !is_simple { format!("({value})") } else { value };
        let scaled = match (formula.scale, formula.offset) {
            (scale, offset) if scale < 0.0 => format!("{offset} - {} * {value}", -scale),
            (scale, 0.0) if is_scaled => scaled(scale, &value),
            (_, 0.0) => value,
            (_, offset) if offset < 0.0 => format!("{value} - {}", -offset),
            (_, offset) => format!("{value} + {offset}"),
        };
        match formula.clamp {
            Clamp::None => scaled,
            Clamp::NotNegative => format!("clamp_min({scaled}, 0)"),
            Clamp::Percent => format!("clamp({scaled}, 0, 100)"),
        }
    }

    /// The comparison drops what has no whole, where a division would give NaN.
    fn share(&self, part: &[Term], whole: &[Term], is_rate: bool) -> String {
        let (part, is_simple) = self.sum(part, is_rate);
        let part = if is_simple { part } else { format!("({part})") };
        let (whole, is_simple) = self.sum(whole, is_rate);
        let whole = if is_simple { whole } else { format!("({whole})") };
        format!("{part} / ({whole} > 0)")
    }

    /// The sum, and whether it is a single term.
    fn sum(&self, sum: &[Term], is_rate: bool) -> (String, bool) {
        let mut text = String::new();
        for (i, term) in sum.iter().enumerate() {
            if i > 0 {
                text.push_str(if term.sign == Sign::Plus { " + " } else { " - " });
            }
            let value = self.term(term, is_rate);
            // Writing to a string cannot fail.
            let _ok = match (term.optional, sum.first()) {
                (true, Some(first)) => {
                    write!(text, "({value} or {} * 0)", self.term(first, is_rate))
                }
                _ => write!(text, "{value}"),
            };
        }
        (text, sum.len() == 1)
    }

    fn term(&self, term: &Term, is_rate: bool) -> String {
        let mut matchers = self.matchers.clone();
        match term.only {
            Some((label, [value])) => matchers.push(format!("{label}={}", quoted(value))),
            Some((label, values)) => {
                matchers.push(format!("{label}=~{}", quoted(&values.join("|"))));
            }
            None => {}
        }
        let mut value = term.desc.name.to_owned();
        value.push_str(&braced(&matchers));
        if is_rate {
            value = format!("rate({value}[{}])", self.history.window);
        }
        let added_up: Vec<_> = term
            .desc
            .labels
            .iter()
            .copied()
            .filter(|label| self.summed.contains(label) || is_added_up(term, label))
            .collect();
        if !added_up.is_empty() {
            value = format!("sum without ({}) ({value})", added_up.join(", "));
        }
        value
    }
}

fn braced(matchers: &[String]) -> String {
    if matchers.is_empty() { String::new() } else { format!("{{{}}}", matchers.join(",")) }
}

fn is_added_up(term: &Term, label: &str) -> bool {
    term.over.contains(&label) || term.only.is_some_and(|(name, _)| name == label)
}

/// A scale below one is written as the division that people know.
fn scaled(scale: f64, value: &str) -> String {
    if scale < 1.0 { format!("{value} / {}", 1.0 / scale) } else { format!("{scale} * {value}") }
}

/// Counter paths compare without regard to case, PromQL with.
fn matcher(label: &str, name: &Pattern) -> Option<String> {
    let text = name.as_str();
    if text == "*" {
        return None;
    }
    if !text.contains('*') && !text.chars().any(char::is_alphabetic) {
        return Some(format!("{label}={}", quoted(text)));
    }
    let parts: Vec<_> = text.split('*').map(escaped).collect();
    Some(format!("{label}=~{}", quoted(&format!("(?i){}", parts.join(".*")))))
}

/// A text in a regular expression of RE2.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A string of PromQL.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

//! Values of counters, from one or two snapshots.

use std::collections::HashMap;

use barograph_model::{Desc, Instance};

use super::TOTAL_INSTANCE;
use super::formula::{Sign, Term, Value};
use super::row::{Instances, Row, Total};
use super::snapshot::{Snapshot, Taken};
use crate::increase::increase;

/// A counter's value for one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Cooked {
    /// Absent for objects that exist once.
    pub instance: Option<String>,
    /// Tells instances of the same name apart, from 0.
    pub index: u32,
    pub value: Result<f64, Missing>,
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It takes two readings, some time apart, with the instance in both.
    FirstReading,
    /// An average or share of nothing: no events happened between the readings.
    NoEvents,
    /// This system does not tell the metric.
    NotTold(&'static Desc),
    /// The system does not tell it of the process.
    NotOfProcess,
    /// Only Windows' own counters tell it; why this system does not.
    OnlyWindows(&'static str),
}

/// The values of all instances that fit now; none if no instance fits. Without `instance`, all of
/// them.
pub fn cook(
    row: &Row,
    instance: Option<&Instance>,
    before: Option<&Snapshot>,
    now: &Snapshot,
) -> Vec<Cooked> {
    let pot = Pot { row, before, now };
    let single = |name: Option<&str>| {
        // What a term adds up has labels; the rest speaks for the whole host without any.
        let value = pot.value(&|term, taken| term.adds_up() || taken.values.is_empty());
        vec![Cooked { instance: name.map(str::to_owned), index: 0, value }]
    };
    match row.instances {
        Instances::None => single(None),
        Instances::OnlyTotal if fits(instance, TOTAL_INSTANCE, 0) => single(Some(TOTAL_INSTANCE)),
        Instances::OnlyTotal => Vec::new(),
        Instances::Each { label, total } => pot.each(label, total, instance),
        Instances::Processes { with_pid } => pot.of_processes(with_pid, instance),
        Instances::OfNodes { total } => pot.of_nodes(total, instance),
    }
}

/// Whether an instance is one that a path means.
pub(crate) fn fits(instance: Option<&Instance>, name: &str, index: u32) -> bool {
    let Some(instance) = instance else { return true };
    let wanted_index = match instance.index {
        None if instance.name.has_wildcard() => None,
        None => Some(0),
        index => index,
    };
    wanted_index.is_none_or(|wanted| wanted == index) && instance.name.matches(name)
}

struct Pot<'a> {
    row: &'a Row,
    before: Option<&'a Snapshot>,
    now: &'a Snapshot,
}

type Choice<'a> = &'a dyn Fn(&Term, &Taken) -> bool;

impl<'a> Pot<'a> {
    /// The names of the instances that there are now, in the order of their collector.
    fn instances(&self, label: &str) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        let Some(first) = self.row.formula.descs().next() else { return names };
        for name in self.now.of(first).filter_map(|taken| taken.label(label)) {
            // Series of one instance mostly stand side by side.
            if names.last() != Some(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn each(&self, label: &str, total: Total, instance: Option<&Instance>) -> Vec<Cooked> {
        let names = self.instances(label);
        let mut cooked = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let index = names[..i].iter().filter(|other| other.eq_ignore_ascii_case(name)).count();
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            if fits(instance, name, index) {
                let value = self.value(&|_, taken| taken.label(label) == Some(name));
                cooked.push(Cooked { instance: Some((*name).to_owned()), index, value });
            }
        }
        if fits(instance, TOTAL_INSTANCE, 0)
            && let Some(value) = self.total(label, total, &names)
        {
            cooked.push(Cooked { instance: Some(TOTAL_INSTANCE.into()), index: 0, value });
        }
        cooked
    }

    fn of_nodes(&self, total: Total, instance: Option<&Instance>) -> Vec<Cooked> {
        const CPU: &str = "cpu";
        let cpus = self.instances(CPU);
        let mut cooked = Vec::new();
        let mut add = |name: String, value: Result<f64, Missing>| {
            if fits(instance, &name, 0) {
                cooked.push(Cooked { instance: Some(name), index: 0, value });
            }
        };
        let mut nodes: Vec<(f64, Vec<&str>)> = Vec::new();
        for cpu in &cpus {
            let (node, index) = self.now.place_of(cpu);
            add(format!("{node},{index}"), self.value(&|_, taken| taken.label(CPU) == Some(cpu)));
            match nodes.iter_mut().find(|(known, _)| known.total_cmp(&node).is_eq()) {
                Some((_, members)) => members.push(cpu),
                None => nodes.push((node, vec![cpu])),
            }
        }
        for (node, members) in nodes {
            if let Some(value) = self.total(CPU, total, &members) {
                add(format!("{node},{TOTAL_INSTANCE}"), value);
            }
        }
        if let Some(value) = self.total(CPU, total, &cpus) {
            add(TOTAL_INSTANCE.to_owned(), value);
        }
        cooked
    }

    fn of_processes(&self, with_pid: bool, instance: Option<&Instance>) -> Vec<Cooked> {
        let Value::OfProcess(counter) = self.row.formula.value else { return Vec::new() };
        let is_first = self.before.is_none() && counter.needs_two();
        let missing = if is_first { Missing::FirstReading } else { Missing::NotOfProcess };
        let mut met: HashMap<String, u32> = HashMap::new();
        let mut cooked = Vec::new();
        let mut total = None;
        for process in self.now.processes() {
            let value = counter.of(process).filter(|_| !is_first);
            if let Some(value) = value {
                total = Some(total.unwrap_or(0.0) + value);
            }
            let (name, index) = if with_pid {
                (format!("{}:{}", process.name, process.pid()), 0)
            } else {
                let next = met.entry(process.name.to_lowercase()).or_default();
                *next += 1;
                (process.name.clone(), *next - 1)
            };
            if fits(instance, &name, index) {
                let value = value.ok_or(missing);
                cooked.push(Cooked { instance: Some(name), index, value });
            }
        }
        let is_any = !self.now.processes().is_empty();
        if is_any && counter.has_total() && fits(instance, TOTAL_INSTANCE, 0) {
            let (instance, value) = (Some(TOTAL_INSTANCE.into()), total.ok_or(missing));
            cooked.push(Cooked { instance, index: 0, value });
        }
        cooked
    }

    /// Over the instances of the given names.
    fn total(&self, label: &str, total: Total, names: &[&str]) -> Option<Result<f64, Missing>> {
        if let Total::RateOf(sum) = total {
            let increase = self.increase(sum, &|_, taken| taken.values.is_empty());
            return Some(increase.and_then(|increase| Ok(increase / self.seconds()?)));
        }
        if names.is_empty() {
            return None;
        }
        let counts = |name: &str| !total.without().iter().any(|prefix| name.starts_with(prefix));
        match total {
            Total::Absent | Total::RateOf(_) => None,
            Total::OfSums { .. } => Some(self.value(&|_, taken| {
                taken.label(label).is_some_and(|name| names.contains(&name) && counts(name))
            })),
            Total::Mean { .. } => {
                let values: Vec<_> = names
                    .iter()
                    .filter(|name| counts(name))
                    .map(|name| self.value(&|_, taken| taken.label(label) == Some(name)))
                    .collect();
                let known: Vec<f64> = values.iter().filter_map(|value| value.ok()).collect();
                match (known.len(), values.first()) {
                    (0, first) => first.copied(),
                    (count, _) => Some(Ok(known.iter().sum::<f64>() / count as f64)),
                }
            }
        }
    }

    fn value(&self, choice: Choice<'_>) -> Result<f64, Missing> {
        let formula = &self.row.formula;
        let share = |part: f64, whole: f64| {
            if whole > 0.0 { Ok(part / whole) } else { Err(Missing::NoEvents) }
        };
        let value = match formula.value {
            Value::Level(sum) => self.level(sum, choice)?,
            Value::Rate(sum) => self.increase(sum, choice)? / self.seconds()?,
            Value::LevelShare { part, whole } => {
                share(self.level(part, choice)?, self.level(whole, choice)?)?
            }
            Value::RateShare { part, whole } => {
                share(self.increase(part, choice)?, self.increase(whole, choice)?)?
            }
            Value::WeightedShare { part, whole, weight, full } => {
                let weight = share(self.level(weight, choice)?, self.level(full, choice)?)?;
                weight * share(self.increase(part, choice)?, self.increase(whole, choice)?)?
            }
            Value::OfProcess(_) => return Err(Missing::NotOfProcess),
            Value::OnlyWindows { why } => return Err(Missing::OnlyWindows(why)),
        };
        Ok(formula.clamp.apply(formula.offset + formula.scale * value))
    }

    fn seconds(&self) -> Result<f64, Missing> {
        let before = self.before.ok_or(Missing::FirstReading)?;
        let seconds = self.now.at.saturating_sub(before.at).as_secs_f64();
        if seconds > 0.0 { Ok(seconds) } else { Err(Missing::FirstReading) }
    }

    fn level(&self, sum: &[Term], choice: Choice<'_>) -> Result<f64, Missing> {
        add_up(sum, |term| {
            let mut values = chosen(self.now, term, choice).map(|taken| taken.value).peekable();
            values.peek().ok_or(Missing::NotTold(term.desc))?;
            Ok(values.sum())
        })
    }

    fn increase(&self, sum: &[Term], choice: Choice<'_>) -> Result<f64, Missing> {
        add_up(sum, |term| {
            let mut series = chosen(self.now, term, choice).peekable();
            series.peek().ok_or(Missing::NotTold(term.desc))?;
            let before = self.before.ok_or(Missing::FirstReading)?;
            let mut increases = series
                .filter_map(|now| {
                    let before = before.of(term.desc).find(|old| old.values == now.values)?;
                    Some(increase(before.value, now.value))
                })
                .peekable();
            increases.peek().ok_or(Missing::FirstReading)?;
            Ok(increases.sum())
        })
    }
}

fn chosen<'a>(
    snapshot: &'a Snapshot,
    term: &'a Term,
    choice: Choice<'a>,
) -> impl Iterator<Item = &'a Taken> {
    snapshot.of(term.desc).filter(move |taken| {
        let fits = term.only.is_none_or(|(label, values)| {
            taken.label(label).is_some_and(|value| values.contains(&value))
        });
        fits && choice(term, taken)
    })
}

fn add_up(
    sum: &[Term],
    mut value: impl FnMut(&Term) -> Result<f64, Missing>,
) -> Result<f64, Missing> {
    let mut all = 0.0;
    for term in sum {
        let value = match value(term) {
            Err(Missing::NotTold(_)) if term.optional => continue,
            value => value?,
        };
        all += if term.sign == Sign::Plus { value } else { -value };
    }
    Ok(all)
}

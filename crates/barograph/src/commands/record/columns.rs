//! What is recorded: the sources, and the columns that their first readings fix.

use std::collections::HashMap;
use std::sync::Arc;

use barograph_collect::Roots;
use barograph_collect::catalog::{MetricReading, Metrics, Reading, Session};
use barograph_model::{Clock, CounterPath, Instance, Pattern};

use crate::commands::counters::parse;
use crate::failure::Failure;

/// Counters by path, and behind them metrics by name.
#[derive(Debug)]
pub(super) struct Sources {
    counters: Option<Session>,
    metrics: Option<Metrics>,
}

/// One value, under the name of its column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) name: Name,
    pub(super) value: Option<f64>,
    pub(super) why_absent: Option<String>,
}

/// A column's name in the two ways in which formats want it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// For programs that know counter paths only; without the computer.
    pub(super) path: String,
    /// As people write it: the path of a counter, the series of a metric.
    pub(super) plain: String,
}

impl Sources {
    /// # Errors
    /// All mistakes in paths at once, or a name that is none.
    pub(super) fn new(what: &[String], clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let (paths, names): (Vec<_>, Vec<_>) =
            what.iter().cloned().partition(|text| text.starts_with('\\'));
        let roots = Roots::default();
        let metrics = (!names.is_empty())
            .then(|| Metrics::new(&roots, Arc::clone(clock), &names))
            .transpose()
            .map_err(|error| {
                let hint = "a counter's path starts with a backslash (quote it for the shell)";
                Failure::Input(format!("{error}; {hint}"))
            })?;
        let paths = parse(&paths)?;
        let counters = (!paths.is_empty())
            .then(|| Session::new(&roots, Arc::clone(clock), paths))
            .transpose()
            .map_err(|error| Failure::Input(barograph_model::chain(&error)))?;
        Ok(Self { counters, metrics })
    }

    pub(super) fn sample(&mut self) -> Vec<Cell> {
        let counters = self.counters.as_mut().map(Session::sample).unwrap_or_default();
        let metrics = self.metrics.as_mut().map(Metrics::sample).unwrap_or_default();
        counters.into_iter().map(of_counter).chain(metrics.into_iter().map(of_metric)).collect()
    }
}

fn of_counter(reading: Reading) -> Cell {
    let name = Name { path: reading.path.clone(), plain: reading.path };
    Cell { name, value: reading.value, why_absent: reading.why_absent }
}

fn of_metric(reading: MetricReading) -> Cell {
    let MetricReading { desc, labels, value } = reading;
    let pairs: Vec<String> = desc
        .labels
        .iter()
        .zip(&labels)
        .map(|(label, value)| {
            format!("{label}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
        })
        .collect();
    let series = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
    let instance = (!labels.is_empty())
        .then(|| Instance { name: Pattern::new(labels.join(" ")), index: None });
    let path = CounterPath {
        machine: None,
        object: Pattern::new("Barograph"),
        instance,
        counter: Pattern::new(desc.name),
    };
    let name = Name { path: path.to_string(), plain: format!("{}{series}", desc.name) };
    Cell { name, value: Some(value), why_absent: None }
}

/// The columns of a recording: those of its first readings.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<Name>,
    places: HashMap<Name, usize>,
    notes: Vec<String>,
    later: Vec<String>,
    n_later: usize,
}

impl Columns {
    /// More make no sense in a table, and the memory for them is bounded.
    const MAX: usize = 16_384;
    const MAX_NAMED: usize = 5;

    /// # Errors
    /// There is nothing to record, or too much.
    pub(super) fn new(first: &[Cell]) -> anyhow::Result<Self> {
        let mut columns = Self {
            names: Vec::new(),
            places: HashMap::new(),
            notes: Vec::new(),
            later: Vec::new(),
            n_later: 0,
        };
        for Cell { name, why_absent, .. } in first {
            if let Some(why) = why_absent {
                columns.notes.push(format!("{} has no value: {why}", name.plain));
            }
            // Stands for no instance at all.
            if is_wildcard(&name.path) || columns.places.contains_key(name) {
                continue;
            }
            columns.places.insert(name.clone(), columns.names.len());
            columns.names.push(name.clone());
        }
        let problem = match columns.names.len() {
            0 => format!("there is nothing to record\n{}", columns.notes.join("\n")),
            count if count > Self::MAX => {
                format!("{count} columns are asked for, at most {} are allowed", Self::MAX)
            }
            _ => return Ok(columns),
        };
        Err(anyhow::anyhow!("{}", problem.trim_end()))
    }

    pub(super) fn names(&self) -> &[Name] {
        &self.names
    }

    /// What has no value now, and why.
    pub(super) fn notes(&self) -> Vec<String> {
        let more = self.notes.len().saturating_sub(Self::MAX_NAMED);
        let mut notes: Vec<_> = self.notes.iter().take(Self::MAX_NAMED).cloned().collect();
        if more > 0 {
            notes.push(format!("and {more} more without a value"));
        }
        notes
    }

    /// One reading's values, column by column; those that have no column are counted.
    pub(super) fn values(&mut self, readings: &[Cell]) -> Vec<Option<f64>> {
        let mut row = vec![None; self.names.len()];
        for reading in readings {
            match self.places.get(&reading.name) {
                Some(place) => row[*place] = reading.value,
                None if is_wildcard(&reading.name.path) => {}
                None => self.note_later(&reading.name.plain),
            }
        }
        row
    }

    fn note_later(&mut self, name: &str) {
        if self.later.iter().any(|known| known == name) {
            return;
        }
        if self.later.len() < Self::MAX_NAMED {
            self.later.push(name.to_owned());
        } else {
            self.n_later += 1;
        }
    }

    /// What appeared after the columns were fixed.
    pub(super) fn left_out(&self) -> Option<String> {
        let more = if self.n_later > 0 { " and more" } else { "" };
        (!self.later.is_empty()).then(|| {
            format!("appeared after the start and are not in it: {}{more}", self.later.join(", "))
        })
    }
}

fn is_wildcard(path: &str) -> bool {
    CounterPath::parse(path)
        .is_ok_and(|path| path.instance.is_some_and(|instance| instance.name.has_wildcard()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(path: &str, value: Option<f64>) -> Cell {
        let name = Name { path: path.into(), plain: path.into() };
        let why_absent = value.is_none().then(|| "no reason".to_owned());
        Cell { name, value, why_absent }
    }

    #[test]
    fn columns_are_those_of_the_first_reading() {
        let mut columns =
            Columns::new(&[value(r"\O(a)\C", Some(1.0)), value(r"\S\T", None)]).unwrap();
        assert_eq!(columns.notes(), [r"\S\T has no value: no reason"]);
        assert_eq!(columns.left_out(), None);
        let later = [value(r"\S\T", Some(2.0)), value(r"\O(b)\C", Some(3.0))];
        assert_eq!(columns.values(&later), [None, Some(2.0)]);
        assert_eq!(columns.values(&later), [None, Some(2.0)]);
        assert_eq!(
            columns.left_out().unwrap(),
            r"appeared after the start and are not in it: \O(b)\C"
        );
    }

    #[test]
    fn what_has_no_instance_has_no_column() {
        let error = Columns::new(&[value(r"\O(*)\C", None)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is nothing to record\n\\O(*)\\C has no value: no reason"
        );
    }

    #[test]
    fn a_metric_is_named_as_a_series_and_as_a_path() {
        static DESC: barograph_model::Desc = barograph_model::Desc {
            name: "x_total",
            kind: barograph_model::Kind::Counter,
            unit: barograph_model::Unit::Count,
            help: "",
            labels: &["a", "b"],
        };
        let reading =
            MetricReading { desc: &DESC, labels: vec!["q\"(1".into(), "z".into()], value: 1.0 };
        let name = of_metric(reading).name;
        assert_eq!(name.plain, r#"x_total{a="q\"(1",b="z"}"#);
        let path = CounterPath::parse(&name.path).unwrap();
        assert_eq!(path.instance.unwrap().name.as_str(), "q\"(1 z");
    }
}

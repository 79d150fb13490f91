//! An instant vector as a table: a column for each label that differs, then the value.

use std::collections::BTreeSet;

use super::answer::{Labels, Sample};
use super::scale::short;
use crate::output;

const NAME: &str = "__name__";

pub(super) fn table(samples: &[Sample]) -> String {
    let names: BTreeSet<&str> =
        samples.iter().flat_map(|sample| sample.metric.keys().map(String::as_str)).collect();
    let (same, differing): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| samples.len() > 1 && is_same(samples, name));
    let mut rows = vec![heading(&differing)];
    rows.extend(samples.iter().map(|sample| row(&differing, sample)));
    let table = output::table(&rows);
    if same.is_empty() {
        return table;
    }
    let labels: Labels = same
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), samples.first()?.metric.get(name)?.clone())))
        .collect();
    format!("{}\n\n{table}", output::plain(&super::answer::series_name(&labels)))
}

fn is_same(samples: &[Sample], name: &str) -> bool {
    let mut values = samples.iter().map(|sample| sample.metric.get(name));
    let first = values.next().flatten();
    first.is_some() && values.all(|value| value == first)
}

fn heading(labels: &[&str]) -> Vec<String> {
    let title = |label: &&str| match *label {
        NAME => "METRIC".to_owned(),
        label => output::plain(label).to_uppercase(),
    };
    labels.iter().map(title).chain(["VALUE".to_owned()]).collect()
}

fn row(labels: &[&str], sample: &Sample) -> Vec<String> {
    let cell = |label: &&str| {
        sample.metric.get(*label).map_or_else(|| "–".to_owned(), |value| output::plain(value))
    };
    labels.iter().map(cell).chain([short(sample.value.value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::query::answer::Point;

    #[test]
    fn what_all_series_share_stands_above() {
        let sample = |disk: &str, value| Sample {
            metric: [("host", "a"), ("disk", disk)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            value: Point { time_ms: 0, value },
        };
        assert_eq!(
            table(&[sample("sda", 1.5), sample("sdb", 12_345_678.0)]),
            "{host=\"a\"}\n\nDISK  VALUE\nsda   1.5\nsdb   12.35M"
        );
        assert_eq!(table(&[sample("sda", 1.5)]), "DISK  HOST  VALUE\nsda   a     1.5");
    }
}

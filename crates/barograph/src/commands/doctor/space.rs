//! What takes the space: metrics, labels and senders, by series and by bytes.

use serde::{Deserialize, Serialize};

use crate::output;

/// What `/api/v1/status/tsdb` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) data: Space,
}

/// The part that is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Space {
    series_count_by_metric_name: Vec<Share>,
    series_count_by_label_value_pair: Vec<Share>,
    series_count_by_source: Vec<Share>,
    bytes_by_metric_name: Vec<Share>,
    bytes_by_label_value_pair: Vec<Share>,
    bytes_by_source: Vec<Share>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Share {
    name: String,
    value: u64,
}

impl Space {
    /// What the server is asked for.
    pub(super) const PATH: &str = "/api/v1/status/tsdb?limit=5";

    /// A table with the largest of each kind; nothing while nothing is stored.
    pub(super) fn rows(&self) -> Option<Vec<Vec<String>>> {
        if self.series_count_by_metric_name.is_empty() {
            return None;
        }
        let head = ["space", "most series", "", "most bytes, of 7 days", ""];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (kind, series, bytes) in [
            ("metric", &self.series_count_by_metric_name, &self.bytes_by_metric_name),
            ("label", &self.series_count_by_label_value_pair, &self.bytes_by_label_value_pair),
            ("sender", &self.series_count_by_source, &self.bytes_by_source),
        ] {
            for place in 0..series.len().max(bytes.len()) {
                let [name, count] = cells(series.get(place), |count| count.to_string());
                let [other, size] = cells(bytes.get(place), output::size);
                let kind = if place == 0 { format!("  {kind}") } else { String::new() };
                rows.push(vec![kind, name, count, other, size]);
            }
        }
        Some(rows)
    }
}

fn cells(share: Option<&Share>, shown: impl Fn(u64) -> String) -> [String; 2] {
    /// Values of labels may be as long as a page.
    const MAX_CHARS: usize = 50;
    let Some(Share { name, value }) = share else { return [String::new(), String::new()] };
    let name = match name.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or(name)),
        None => name.clone(),
    };
    [name, shown(*value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_each_kind_are_listed_side_by_side() {
        let share = |name: &str, value| Share { name: name.to_owned(), value };
        let space = Space {
            series_count_by_metric_name: vec![share("a", 30), share("b", 2)],
            bytes_by_metric_name: vec![share("b", 2048)],
            series_count_by_label_value_pair: vec![share(&format!("user={}", "é".repeat(60)), 9)],
            ..Space::default()
        };
        let rows = space.rows().unwrap();
        assert_eq!(rows[1], ["  metric", "a", "30", "b", "2.0 KiB"]);
        assert_eq!(rows[2], ["", "b", "2", "", ""]);
        assert_eq!(rows[3][1].chars().count(), 51);
        assert!(Space::default().rows().is_none());
    }
}

//! Metrics to measure with: a recorded host, or one that is made up.

use std::io;
use std::path::Path;

use barograph_model::{Labels, LabelsError};

pub use file::RecordingFile;

mod file;

/// Series with a value, or none, for each of the times.
#[derive(Debug)]
pub struct Recording {
    /// Milliseconds since 1970-01-01 UTC.
    pub times: Vec<i64>,
    pub series: Vec<(Labels, Vec<f64>)>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not a recording.
    pub fn read(path: &Path) -> io::Result<Self> {
        let RecordingFile { times, series } = RecordingFile::read(path)?;
        let series = series.into_iter().map(|(name, values)| {
            let labels = parse(&name);
            labels
                .map(|labels| (labels, values))
                .ok_or_else(|| io::Error::other(format!("`{name}` is not a series")))
        });
        Ok(Self { times, series: series.collect::<io::Result<_>>()? })
    }

    /// Twenty minutes of two thousand series: half of them constant, a third counters, the rest
    /// noise with two decimals.
    ///
    /// # Panics
    /// Never.
    pub fn made_up() -> Self {
        let times: Vec<i64> = (0..1200).map(|i| 1_795_348_800_000 + i * 1000).collect();
        let series = (0_u32..2000).filter_map(|id| {
            let labels =
                Labels::new([("__name__", format!("m{}", id % 200)), ("id", id.to_string())]);
            let mut state = u64::from(id) + 1;
            let mut counter = 0.0;
            let values = times.iter().map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                let noise = f64::from(u16::try_from(state >> 50).unwrap_or_default());
                counter += noise / 16.0;
                match id % 6 {
                    0..=2 => f64::from(id),
                    3 | 4 => counter.floor(),
                    _ => (noise / 16.0).round() / 100.0,
                }
            });
            Some((labels.ok()?, values.collect()))
        });
        let series = series.collect();
        Self { times, series }
    }

    /// So many hosts like this one, told apart by `instance`; a single one stays as it is.
    ///
    /// # Errors
    /// Labels that take no further one.
    pub fn copies(self, copies: usize) -> Result<Self, LabelsError> {
        if copies == 1 {
            return Ok(self);
        }
        let mut series = Vec::with_capacity(self.series.len() * copies);
        for copy in 0..copies {
            for (labels, values) in &self.series {
                series.push((labels.with("instance", &format!("h{copy}"))?, values.clone()));
            }
        }
        Ok(Self { times: self.times, series })
    }

    /// What the scrape with this number brought: series by their place in [`Recording::series`].
    pub fn scrape(&self, number: usize) -> impl Iterator<Item = (usize, f64)> {
        let value = move |(place, (_, values)): (usize, &(Labels, Vec<f64>))| {
            let value = *values.get(number)?;
            (!RecordingFile::is_absent(value)).then_some((place, value))
        };
        self.series.iter().enumerate().filter_map(value)
    }
}

/// Prometheus' text form of a series; values without escapes.
fn parse(text: &str) -> Option<Labels> {
    let (name, mut rest) = text.split_once('{').unwrap_or((text, ""));
    let mut pairs = vec![("__name__", name)];
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        pairs.push((label.trim_start_matches(','), value));
        rest = after;
    }
    Labels::new(pairs).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_read_and_multiplied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.hm1.zst");
        let values = vec![1.5, RecordingFile::ABSENT];
        let series = vec![(r#"a{b="c",d="e"}"#.to_owned(), values)];
        RecordingFile { times: vec![5, 6], series }.write(&path).unwrap();
        let recording = Recording::read(&path).unwrap().copies(2).unwrap();
        assert_eq!(recording.times, [5, 6]);
        assert_eq!(recording.series[1].0.to_string(), r#"a{b="c",d="e",instance="h1"}"#);
        assert_eq!(recording.scrape(0).collect::<Vec<_>>(), [(0, 1.5), (1, 1.5)]);
        assert_eq!(recording.scrape(1).count(), 0);
    }
}

//! Metrics to measure with: a recorded host, or one that is made up.
//!
//! A recording is a file in the format HM1, packed by zstd: `"HM1\n"`, the number of series and of
//! scrapes as u32, for each scrape its time in milliseconds (i64) and once more when it really
//! began, then for each series the length of its name (u32), the name in Prometheus' text form, a
//! byte for its type and a value (f64) per scrape. All little-endian.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use barograph_model::{Labels, LabelsError};

/// Where a series has no value: Prometheus' stale marker.
const ABSENT: u64 = 0x7ff0_0000_0000_0002;

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
        let mut raw = Vec::new();
        zstd::Decoder::new(File::open(path)?)?.read_to_end(&mut raw)?;
        Self::decode(&raw).ok_or_else(|| io::Error::other("it is not a recording, or damaged"))
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

    fn decode(raw: &[u8]) -> Option<Self> {
        let mut rest = raw.strip_prefix(b"HM1\n")?;
        let n_series = u32::from_le_bytes(*take(&mut rest)?);
        let n_scrapes = u32::from_le_bytes(*take(&mut rest)?);
        let number = |rest: &mut &[u8]| take(rest).map(|bytes| i64::from_le_bytes(*bytes));
        let times = (0..n_scrapes).map(|_| number(&mut rest)).collect::<Option<Vec<_>>>()?;
        for _ in 0..n_scrapes {
            number(&mut rest)?;
        }
        let mut series = Vec::new();
        for _ in 0..n_series {
            let length = usize::try_from(u32::from_le_bytes(*take(&mut rest)?)).ok()?;
            let (name, after) = rest.split_at_checked(length)?;
            rest = after.get(1..)?;
            let value = |rest: &mut &[u8]| take(rest).map(|bytes| f64::from_le_bytes(*bytes));
            let values = (0..n_scrapes).map(|_| value(&mut rest)).collect::<Option<_>>()?;
            series.push((parse(std::str::from_utf8(name).ok()?)?, values));
        }
        Some(Self { times, series })
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
            (value.to_bits() != ABSENT).then_some((place, value))
        };
        self.series.iter().enumerate().filter_map(value)
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
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

    fn raw() -> Vec<u8> {
        let mut raw = b"HM1\n\x01\0\0\0\x02\0\0\0".to_vec();
        for time in [5_i64, 6, 5, 6] {
            raw.extend(time.to_le_bytes());
        }
        let name = b"a{b=\"c\",d=\"e\"}";
        raw.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        raw.extend(name);
        raw.push(b'g');
        raw.extend(1.5_f64.to_le_bytes());
        raw.extend(ABSENT.to_le_bytes());
        raw
    }

    #[test]
    fn a_recording_is_read_and_multiplied() {
        let recording = Recording::decode(&raw()).unwrap().copies(2).unwrap();
        assert_eq!(recording.times, [5, 6]);
        assert_eq!(recording.series[1].0.to_string(), r#"a{b="c",d="e",instance="h1"}"#);
        assert_eq!(recording.scrape(0).collect::<Vec<_>>(), [(0, 1.5), (1, 1.5)]);
        assert_eq!(recording.scrape(1).count(), 0);
    }

    #[test]
    fn a_cut_recording_is_refused() {
        let raw = raw();
        for length in 0..raw.len() {
            assert!(Recording::decode(&raw[..length]).is_none(), "{length}");
        }
    }
}

//! A recording of real metrics: an hour of one busy host, every second.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use barograph_testkit::RecordingFile;

use crate::place;

#[derive(Debug)]
pub(super) struct Recording(RecordingFile);

impl Recording {
    /// The one that `BAROGRAPH_BENCH_DATA` names, or that lies beside the checkout.
    pub(super) fn load() -> Result<Self> {
        Self::read(&Self::path(None)?)
    }

    /// The file that is named, or that `BAROGRAPH_BENCH_DATA` names, or that lies beside the
    /// checkout.
    pub(super) fn path(named: Option<&Path>) -> Result<PathBuf> {
        let named = named.map(PathBuf::from);
        named
            .or_else(|| std::env::var_os("BAROGRAPH_BENCH_DATA").map(PathBuf::from))
            .or_else(beside)
            .context(
                "there is no recording: set BAROGRAPH_BENCH_DATA to a file in the HM1 format, \
                 packed by zstd",
            )
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = RecordingFile::read(path);
        file.map(Self).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(super) fn times(&self) -> &[i64] {
        &self.0.times
    }

    /// The names of the series of one of several copies, told apart by `instance`.
    pub(super) fn names(&self, copy: usize) -> impl Iterator<Item = Result<String>> {
        self.0.series.iter().map(move |(series, _)| with_instance(series, copy))
    }

    /// What one scrape brought: for each series its value, if it had one.
    pub(super) fn values(&self, scrape: usize) -> impl Iterator<Item = Option<f64>> {
        let value = move |values: &Vec<f64>| values.get(scrape).copied();
        self.0.series.iter().map(move |(_, values)| value(values).filter(|it| is_present(*it)))
    }

    /// What `barograph store export --format openmetrics` writes.
    pub(super) fn from_open_metrics(text: &str) -> Result<Self> {
        let mut samples: BTreeMap<&str, Vec<(i64, f64)>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let parts = line.rsplit_once(' ').and_then(|(rest, time)| {
                let (series, value) = rest.rsplit_once(' ')?;
                Some((series, value.parse().ok()?, time.parse::<f64>().ok()?))
            });
            let (series, value, seconds) =
                parts.with_context(|| format!("not a sample: `{line}`"))?;
            #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
            let time_ms = (seconds * 1000.0).round() as i64;
            samples.entry(series).or_default().push((time_ms, value));
        }
        let mut times: Vec<i64> = samples.values().flatten().map(|(time, _)| *time).collect();
        times.sort_unstable();
        times.dedup();
        let column = |samples: Vec<(i64, f64)>| {
            let mut values = vec![RecordingFile::ABSENT; times.len()];
            for (time_ms, value) in samples {
                if let Ok(place) = times.binary_search(&time_ms)
                    && let Some(slot) = values.get_mut(place)
                {
                    *slot = value;
                }
            }
            values
        };
        let series = samples.into_iter().map(|(name, samples)| (name.to_owned(), column(samples)));
        let series = series.collect();
        Ok(Self(RecordingFile { times, series }))
    }

    /// Writes it as a file that [`Recording::read`] reads.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        self.0.write(path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes so many copies of it, told apart by `instance`, as text with one sample a line:
    /// as OpenMetrics with times in seconds, else as Prometheus' text with milliseconds.
    pub(super) fn write(&self, path: &Path, copies: usize, is_open_metrics: bool) -> Result<u64> {
        let mut out = BufWriter::new(File::create(path)?);
        let mut samples = 0;
        for copy in 0..copies {
            for (series, values) in &self.0.series {
                let series = with_instance(series, copy)?;
                for (time, value) in
                    self.0.times.iter().zip(values).filter(|(_, value)| is_present(**value))
                {
                    samples += 1;
                    if is_open_metrics {
                        let (seconds, ms) = (time / 1000, time % 1000);
                        writeln!(out, "{series} {value} {seconds}.{ms:03}")?;
                    } else {
                        writeln!(out, "{series} {value} {time}")?;
                    }
                }
            }
        }
        if is_open_metrics {
            writeln!(out, "# EOF")?;
        }
        out.flush()?;
        Ok(samples)
    }
}

fn beside() -> Option<PathBuf> {
    let folders = place::root();
    folders.ancestors().skip(1).find_map(|folder| {
        let file = folder.join("shared/data/hostmetrics.hm1.zst");
        file.is_file().then_some(file)
    })
}

fn with_instance(series: &str, copy: usize) -> Result<String> {
    if series.contains("instance=\"") {
        bail!("the recording has instances already: {series}");
    }
    Ok(match series.strip_suffix('}') {
        Some(open) => format!("{open},instance=\"h{copy}\"}}"),
        None => format!("{series}{{instance=\"h{copy}\"}}"),
    })
}

fn is_present(value: f64) -> bool {
    !RecordingFile::is_absent(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_apart_by_their_instance() {
        assert_eq!(with_instance("up", 3).unwrap(), "up{instance=\"h3\"}");
        assert_eq!(with_instance("a{b=\"c\"}", 0).unwrap(), "a{b=\"c\",instance=\"h0\"}");
    }

    #[test]
    fn what_was_exported_is_a_recording() {
        let text =
            "# TYPE a gauge\na{b=\"c d\"} 1.5 10.000\na{b=\"c d\"} 2 11.000\nup 1 11.000\n# EOF\n";
        let recording = Recording::from_open_metrics(text).unwrap();
        assert_eq!(recording.times(), [10_000, 11_000]);
        let names: Vec<_> = recording.0.series.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a{b=\"c d\"}", "up"]);
        assert_eq!(recording.values(0).collect::<Vec<_>>(), [Some(1.5), None]);
        assert_eq!(recording.values(1).collect::<Vec<_>>(), [Some(2.0), Some(1.0)]);
    }
}

//! A recording of real metrics, in the HM1 format: an hour of one busy host, every second.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::place;

/// Where a series has no value.
pub(super) const ABSENT: u64 = 0x7ff0_0000_0000_0002;

#[derive(Debug)]
pub(super) struct Recording {
    /// Milliseconds since 1970-01-01 UTC.
    pub(super) times: Vec<i64>,
    /// In Prometheus' text form, with a value for each of the times.
    series: Vec<(String, Vec<f64>)>,
}

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
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut raw = Vec::new();
        zstd::Decoder::new(file)?.read_to_end(&mut raw)?;
        Self::decode(&raw).with_context(|| format!("{} is damaged", path.display()))
    }

    fn decode(raw: &[u8]) -> Option<Self> {
        let mut rest = raw.strip_prefix(b"HM1\n")?;
        let n_series = u32::from_le_bytes(*take(&mut rest)?);
        let n_scrapes = u32::from_le_bytes(*take(&mut rest)?);
        let time = |rest: &mut &[u8]| take(rest).map(|bytes| i64::from_le_bytes(*bytes));
        let times: Vec<i64> = (0..n_scrapes).map(|_| time(&mut rest)).collect::<Option<_>>()?;
        for _ in 0..n_scrapes {
            time(&mut rest)?;
        }
        let mut series = Vec::new();
        for _ in 0..n_series {
            let length = usize::try_from(u32::from_le_bytes(*take(&mut rest)?)).ok()?;
            let (name, after) = rest.split_at_checked(length)?;
            rest = after.get(1..)?;
            let value = |rest: &mut &[u8]| take(rest).map(|bytes| f64::from_le_bytes(*bytes));
            let values = (0..n_scrapes).map(|_| value(&mut rest)).collect::<Option<_>>()?;
            series.push((String::from_utf8(name.to_vec()).ok()?, values));
        }
        Some(Self { times, series })
    }

    /// The names of the series of one of several copies, told apart by `instance`.
    pub(super) fn names(&self, copy: usize) -> impl Iterator<Item = Result<String>> {
        self.series.iter().map(move |(series, _)| with_instance(series, copy))
    }

    /// The values of one scrape, also those that are absent.
    pub(super) fn values(&self, scrape: usize) -> impl Iterator<Item = f64> {
        let absent = f64::from_bits(ABSENT);
        self.series.iter().map(move |(_, values)| values.get(scrape).copied().unwrap_or(absent))
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
            let mut values = vec![f64::from_bits(ABSENT); times.len()];
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
        Ok(Self { times, series })
    }

    /// Writes it as a file that [`Recording::read`] reads.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("no {}", path.display()))?;
        let mut out = zstd::Encoder::new(file, 3)?;
        out.write_all(&self.encode()?)?;
        out.finish()?;
        Ok(())
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut out = b"HM1\n".to_vec();
        out.extend(u32::try_from(self.series.len())?.to_le_bytes());
        out.extend(u32::try_from(self.times.len())?.to_le_bytes());
        // When they were due, and when they began: the same here.
        for time in self.times.iter().chain(&self.times) {
            out.extend(time.to_le_bytes());
        }
        for (name, values) in &self.series {
            out.extend(u32::try_from(name.len())?.to_le_bytes());
            out.extend(name.bytes());
            out.push(b'u');
            out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Ok(out)
    }

    /// Writes so many copies of it, told apart by `instance`, as text with one sample a line:
    /// as OpenMetrics with times in seconds, else as Prometheus' text with milliseconds.
    pub(super) fn write(&self, path: &Path, copies: usize, is_open_metrics: bool) -> Result<u64> {
        let mut out = BufWriter::new(File::create(path)?);
        let mut samples = 0;
        for copy in 0..copies {
            for (series, values) in &self.series {
                let series = with_instance(series, copy)?;
                for (time, value) in self.times.iter().zip(values) {
                    if value.to_bits() == ABSENT {
                        continue;
                    }
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

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
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
        let made = Recording::from_open_metrics(text).unwrap();
        let recording = Recording::decode(&made.encode().unwrap()).unwrap();
        assert_eq!(recording.times, [10_000, 11_000]);
        let names: Vec<_> = recording.series.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a{b=\"c d\"}", "up"]);
        let bits = |scrape| recording.values(scrape).map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(0), [1.5_f64.to_bits(), ABSENT]);
        assert_eq!(bits(1), [2.0_f64.to_bits(), 1.0_f64.to_bits()]);
    }

    #[test]
    fn a_cut_recording_is_refused() {
        assert!(Recording::decode(b"HM1\n\x01\0\0\0\x01\0\0\0").is_none());
    }
}

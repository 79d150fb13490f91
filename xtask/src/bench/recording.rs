//! A recording of real metrics, in the HM1 format: an hour of one busy host, every second.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::place;

/// Where a series has no value.
const ABSENT: u64 = 0x7ff0_0000_0000_0002;

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
        let path = match std::env::var_os("BAROGRAPH_BENCH_DATA") {
            Some(path) => PathBuf::from(path),
            None => beside().context(
                "there is no recording: set BAROGRAPH_BENCH_DATA to a file in the HM1 format, \
                 packed by zstd",
            )?,
        };
        let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
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
    fn a_cut_recording_is_refused() {
        assert!(Recording::decode(b"HM1\n\x01\0\0\0\x01\0\0\0").is_none());
    }
}

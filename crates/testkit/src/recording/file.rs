//! The file of a recording, in the format HM1, packed by zstd.
//!
//! `"HM1\n"`, the number of series and of scrapes as u32, for each scrape its time in milliseconds
//! (i64) and once more when it really began, then for each series the length of its name (u32),
//! the name in Prometheus' text form, a byte for its type and a value (f64) per scrape. All
//! little-endian.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// What the file says, with the series named as they are written there.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingFile {
    /// Milliseconds since 1970-01-01 UTC.
    pub times: Vec<i64>,
    /// With a value for each of the times, or [`RecordingFile::ABSENT`].
    pub series: Vec<(String, Vec<f64>)>,
}

impl RecordingFile {
    /// Where a series has no value: Prometheus' stale marker.
    pub const ABSENT: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

    /// Other values that are no number are values.
    pub fn is_absent(value: f64) -> bool {
        value.to_bits() == Self::ABSENT.to_bits()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is not a recording.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut raw = Vec::new();
        zstd::Decoder::new(File::open(path)?)?.read_to_end(&mut raw)?;
        Self::decode(&raw).ok_or_else(|| io::Error::other("it is not a recording, or damaged"))
    }

    /// Writes a file; the scrapes began when they were due, and the types are unknown.
    ///
    /// # Errors
    /// It cannot be written, or has more series than the format can count.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut out = zstd::Encoder::new(File::create(path)?, 3)?;
        out.write_all(&self.encode()?)?;
        out.finish()?.flush()
    }

    fn decode(raw: &[u8]) -> Option<Self> {
        let mut rest = raw.strip_prefix(b"HM1\n")?;
        let n_series = u32::from_le_bytes(*take(&mut rest)?);
        let n_scrapes = u32::from_le_bytes(*take(&mut rest)?);
        let time = |rest: &mut &[u8]| take(rest).map(|bytes| i64::from_le_bytes(*bytes));
        let times = (0..n_scrapes).map(|_| time(&mut rest)).collect::<Option<_>>()?;
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

    fn encode(&self) -> io::Result<Vec<u8>> {
        const UNKNOWN_TYPE: u8 = b'u';
        let length = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let mut out = b"HM1\n".to_vec();
        out.extend(length(self.series.len())?.to_le_bytes());
        out.extend(length(self.times.len())?.to_le_bytes());
        for time in self.times.iter().chain(&self.times) {
            out.extend(time.to_le_bytes());
        }
        for (name, values) in &self.series {
            out.extend(length(name.len())?.to_le_bytes());
            out.extend(name.bytes());
            out.push(UNKNOWN_TYPE);
            out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        Ok(out)
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As another program wrote it: the second scrape began late, and the series is a gauge.
    fn raw() -> Vec<u8> {
        let mut raw = b"HM1\n\x01\0\0\0\x02\0\0\0".to_vec();
        for time in [5_i64, 6, 5, 7] {
            raw.extend(time.to_le_bytes());
        }
        raw.extend(b"\x02\0\0\0upg");
        raw.extend(1.5_f64.to_le_bytes());
        raw.extend(RecordingFile::ABSENT.to_le_bytes());
        raw
    }

    #[test]
    fn what_is_written_is_read() {
        let file = RecordingFile {
            times: vec![5, 6],
            series: vec![
                ("up".to_owned(), vec![1.0, 0.5]),
                ("a{b=\"ü\"}".to_owned(), vec![2.0; 2]),
            ],
        };
        assert_eq!(RecordingFile::decode(&file.encode().unwrap()), Some(file));
    }

    #[test]
    fn times_are_those_when_a_scrape_was_due() {
        let file = RecordingFile::decode(&raw()).unwrap();
        assert_eq!(file.times, [5, 6]);
        let (name, values) = &file.series[0];
        assert_eq!((name.as_str(), values[0]), ("up", 1.5));
        assert!(RecordingFile::is_absent(values[1]) && !RecordingFile::is_absent(f64::NAN));
    }

    #[test]
    fn a_cut_recording_is_refused() {
        let raw = raw();
        for length in 0..raw.len() {
            assert!(RecordingFile::decode(&raw[..length]).is_none(), "{length}");
        }
    }
}

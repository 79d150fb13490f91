//! Logs of Windows' performance counters.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use barograph_collect::counter_metric_name;
use barograph_model::{CounterPath, Labels, METRIC_NAME};
use barograph_wire::PdhLog;

use super::target::Target;
use crate::output;
use crate::progress::ProgressLine;

/// A line of 65,536 columns is shorter.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
/// UTF-16 is read as a whole.
const MAX_UTF16_BYTES: u64 = 512 * 1024 * 1024;

pub(super) fn read(path: &Path, target: &mut Target) -> anyhow::Result<()> {
    let file = File::open(path)?;
    let total = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    if !reader.fill_buf()?.starts_with(&[0xff, 0xfe]) {
        return read_lines(&mut reader, total, target);
    }
    anyhow::ensure!(
        total <= MAX_UTF16_BYTES,
        "it is in UTF-16 and has {}, at most {} are allowed; convert it to UTF-8",
        output::size(total),
        output::size(MAX_UTF16_BYTES)
    );
    let mut all = Vec::new();
    reader.read_to_end(&mut all)?;
    let text = decode(&all);
    read_lines(&mut text.as_bytes(), text.len() as u64, target)
}

/// UTF-8, UTF-16 with its mark, or else one byte per letter, as Windows' programs write it in the
/// west.
pub(super) fn decode(bytes: &[u8]) -> String {
    if let Some(utf16) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units = utf16.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        return char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn read_lines(reader: &mut dyn BufRead, total: u64, target: &mut Target) -> anyhow::Result<()> {
    let mut progress = ProgressLine::new("reading");
    let mut line = Vec::new();
    let mut done = next_line(reader, &mut line)?;
    let log = PdhLog::parse(&decode(&line)).context("line 1")?;
    let series = series(&log, target)?;
    for number in 2_u64.. {
        let length = next_line(reader, &mut line).with_context(|| format!("line {number}"))?;
        if length == 0 {
            break;
        }
        done += length;
        let row = log.row(&decode(&line)).with_context(|| format!("line {number}"))?;
        let Some((time_ms, values)) = row else { continue };
        for (labels, value) in series.iter().zip(values) {
            if let (Some(labels), Some(value)) = (labels, value) {
                target.push(time_ms, labels, value)?;
            }
        }
        progress.show(done, total, || format!("{} samples", target.samples()));
    }
    Ok(())
}

/// The length of the line, which is 0 at the end.
fn next_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> anyhow::Result<u64> {
    line.clear();
    let length = reader.take(MAX_LINE_BYTES).read_until(b'\n', line)? as u64;
    anyhow::ensure!(length < MAX_LINE_BYTES, "it has more than {}", output::size(MAX_LINE_BYTES));
    Ok(length)
}

/// What each column is stored as; two columns of one counter and instance are one series.
fn series(log: &PdhLog, target: &mut Target) -> anyhow::Result<Vec<Option<Labels>>> {
    let series = log.columns.iter().zip(2..).map(|(path, column)| {
        let Some(path) = path else { return Ok(None) };
        let labels = labels(path).with_context(|| format!("column {column}"))?;
        Ok(Some(target.labels(labels).with_context(|| format!("column {column}"))?))
    });
    series.collect()
}

fn labels(path: &CounterPath) -> anyhow::Result<Labels> {
    let name = counter_metric_name(path);
    let instance = path.instance.as_ref().map(|instance| match instance.index {
        None | Some(0) => instance.name.to_string(),
        Some(index) => format!("{}#{index}", instance.name),
    });
    let host = path.machine.clone().unwrap_or_default();
    let instance = instance.unwrap_or_default();
    Ok(Labels::new([(METRIC_NAME, name), ("host", host), ("instance", instance)])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_as_they_come() {
        assert_eq!(decode("\u{feff}é".as_bytes()), "\u{feff}é");
        assert_eq!(decode(&[0xff, 0xfe, b'a', 0, 0xe9, 0]), "aé");
        assert_eq!(decode(&[b'a', 0xe9]), "aé");
    }

    #[test]
    fn a_counter_is_stored_under_its_name_its_computer_and_its_instance() {
        let path = CounterPath::parse(r"\\DB-1\Processor(_Total)\% Processor Time").unwrap();
        let expected = r#"counter_processor_percent_processor_time{host="DB-1",instance="_Total"}"#;
        assert_eq!(labels(&path).unwrap().to_string(), expected);
        let path = CounterPath::parse(r"\Process(svchost#3)\Handle Count").unwrap();
        assert!(labels(&path).unwrap().to_string().contains(r#"instance="svchost#3""#));
    }
}

//! Requests of Prometheus' remote write 1.0, as Prometheus sends them.

use anyhow::{Context, Result};

/// Field 1 of a request, of a series and of a label: a message or a text.
const FIRST: u8 = 0x0a;
const SECOND: u8 = 0x12;

/// The labels of a series as they stand in a request, from Prometheus' text form.
pub(super) fn label_bytes(series: &str) -> Result<Vec<u8>> {
    let (name, mut rest) = series.split_once('{').unwrap_or((series, ""));
    let mut pairs = vec![("__name__", name)];
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').context("a value without an end")?;
        pairs.push((label.trim_start_matches(','), value));
        rest = after;
    }
    // Senders put them in order.
    pairs.sort_unstable();
    let mut out = Vec::new();
    for (name, value) in pairs {
        let mut label = Vec::new();
        put_bytes(&mut label, FIRST, name.as_bytes());
        put_bytes(&mut label, SECOND, value.as_bytes());
        put_bytes(&mut out, FIRST, &label);
    }
    Ok(out)
}

/// Adds a series with one sample to a request.
pub(super) fn put_sample(request: &mut Vec<u8>, labels: &[u8], time_ms: i64, value: f64) {
    let mut sample = vec![0x09];
    sample.extend_from_slice(&value.to_le_bytes());
    sample.push(0x10);
    put_varint(&mut sample, time_ms.cast_unsigned());
    let mut series = labels.to_vec();
    put_bytes(&mut series, SECOND, &sample);
    put_bytes(request, FIRST, &series);
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_laid_out_as_the_specification_says() {
        let labels = label_bytes("up{job=\"x\"}").unwrap();
        let expected = b"\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x08\x0a\x03job\x12\x01x";
        assert_eq!(labels, expected);
        let mut request = Vec::new();
        put_sample(&mut request, &labels, 300, 1.0);
        let (front, sample) = request.split_at(2 + labels.len());
        assert_eq!(front, [&[0x0a, 26 + 14], &labels[..]].concat());
        let value = 1.0_f64.to_le_bytes();
        assert_eq!(sample, [&[0x12, 12, 0x09], &value[..], &[0x10, 0xac, 0x02]].concat());
    }
}

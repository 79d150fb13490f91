//! Rows of the write-ahead log as version 1 wrote them: each stands for itself.
//!
//! ```text
//! version u8 │ series in the partition │ n_frames │ frames │ crc32c u32
//! frame: time zigzag (the first), difference zigzag (the others) │ n_samples
//!        n_runs, per run of neighbouring series: gap, length
//!        bitmap of integers │ the integers as zigzag varints │ the others as f64
//! ```

use super::batch::{Frame, take_runs};
use super::bytes::{Decoded, Reader, unzigzag};

pub(super) const VERSION: u8 = 1;

/// Reads what follows the version.
pub(super) fn decode(mut reader: Reader<'_>) -> Decoded<(Vec<Frame>, u32)> {
    let n_series = reader.u32()?;
    let n_frames = reader.count()?;
    let mut frames = Vec::new();
    let mut time_ms = 0_i64;
    for _ in 0..n_frames {
        time_ms = time_ms.wrapping_add(reader.signed()?);
        let n_samples = reader.count()?;
        let n_runs = reader.count()?;
        let series = take_runs(&mut reader, n_runs, n_samples, n_series)?;
        if series.len() != n_samples {
            return Err(reader.damaged());
        }
        let values = take_values(&mut reader, n_samples)?;
        frames.push(Frame { time_ms, series, values });
    }
    reader.finish()?;
    Ok((frames, n_series))
}

fn take_values(reader: &mut Reader<'_>, n_samples: usize) -> Decoded<Vec<f64>> {
    let bitmap = reader.take(n_samples.div_ceil(8))?;
    let is_integer = |i: usize| bitmap[i / 8] >> (i % 8) & 1 == 1;
    let mut values = vec![0.0; n_samples];
    for (i, value) in values.iter_mut().enumerate() {
        if is_integer(i) {
            *value = unzigzag(reader.varint()?) as f64;
        }
    }
    for (i, value) in values.iter_mut().enumerate() {
        if !is_integer(i) {
            *value = f64::from_bits(reader.u64()?);
        }
    }
    Ok(values)
}

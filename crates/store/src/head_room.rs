//! Whether there is memory for more samples.
//!
//! What a head takes grows in steps: the values of a series lie in memory that doubles when it is
//! full, and series that are sampled together are full together. So what the next steps take is held
//! back, beside what the samples take on their way.

use std::sync::atomic::Ordering;

use crate::live::Rows;
use crate::shared::Shared;
use crate::span::Span;
use crate::sync::read;

/// What a sample takes on its way to the writer, series and value; afterwards its part of memory
/// that has doubled is not more.
const SAMPLE_BYTES: u64 = 16;

impl Shared {
    /// Whether the heads, with what waits for the writer, leave room for so many samples.
    pub(crate) fn has_room(&self, rows: &[(Span, Rows)], samples: usize) -> bool {
        let head = self.counters.head_bytes.load(Ordering::Relaxed);
        let reserve = self.counters.head_reserve.load(Ordering::Relaxed);
        let waiting = self.queue.weight();
        let on_their_way = (waiting + samples) as u64 * SAMPLE_BYTES;
        // One that is larger than all of the memory could never be stored.
        head == 0 && waiting == 0
            || head + reserve + on_their_way + self.new_series_bytes(rows)
                <= self.settings.max_head_bytes
    }

    /// What series take that are new in their partitions.
    fn new_series_bytes(&self, rows: &[(Span, Rows)]) -> u64 {
        let bytes = rows.iter().map(|(span, rows)| {
            let partition = read(&self.partitions).get(span).cloned();
            let live = partition.and_then(|partition| partition.open_live());
            live.map_or(0, |live| read(&live.state).head.growth(rows.series.len()))
        });
        // Rows of one partition have the same series, or else one of them has more.
        bytes.max().unwrap_or(0) as u64
    }

    pub(crate) fn count_head_bytes(&self) {
        let (mut bytes, mut reserve) = (0, 0);
        for live in self.open_lives() {
            bytes += live.head_bytes() as u64;
            reserve += read(&live.state).head.reserve as u64;
        }
        self.counters.head_bytes.store(bytes, Ordering::Relaxed);
        self.counters.head_reserve.store(reserve, Ordering::Relaxed);
    }

    /// Whether the heads have grown so large that it is time to seal them: before appends are
    /// refused, as what comes while they are sealed needs room, too.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        let head = self.counters.head_bytes.load(Ordering::Relaxed);
        let reserve = self.counters.head_reserve.load(Ordering::Relaxed);
        let max = self.settings.max_head_bytes;
        head >= max / 2 || head + reserve >= max / 4 * 3
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use barograph_model::{Batch, Labels, Sample};
    use barograph_testkit::FakeClock;

    use crate::error::AppendError;
    use crate::settings::Settings;
    use crate::store::Store;
    use crate::sync::lock;

    #[test]
    fn heads_stay_below_their_bound_while_nothing_is_sealed() {
        const MAX: u64 = 4 << 20;
        let dir = tempfile::tempdir().unwrap();
        let start_ms = 1_795_348_800_000;
        let clock = Arc::new(FakeClock::new(start_ms));
        let settings = Settings { max_head_bytes: MAX, ..Settings::new(dir.path()) };
        let store = Store::open(settings, clock).unwrap();
        let _nobody_seals = lock(&store.shared.tending);
        let labels = |id: u32| Labels::new([("__name__", format!("m{id}"))]).unwrap();
        let all: Vec<Labels> = (0..3000).map(labels).collect();
        let mut most = 0;
        for i in 0_u32..2000 {
            let value = |id: usize| f64::from(i.wrapping_mul(7919) % 1000) / 3.0 + id as f64;
            let sample = |(id, labels): (usize, &Labels)| Sample {
                labels: labels.clone(),
                value: value(id),
            };
            let samples = all.iter().enumerate().map(sample).collect();
            let batch = Batch { time_ms: start_ms + i64::from(i) * 1000, samples };
            let appended = store.append(&[batch]);
            most = most.max(store.stats().head_bytes);
            match appended {
                Ok(_) => {}
                Err(AppendError::Busy { .. }) => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(most <= MAX, "{most} bytes");
        assert!(most >= MAX / 4, "only {most} bytes were used");
    }
}

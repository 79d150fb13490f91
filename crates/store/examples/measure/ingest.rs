//! Writing: every append is durable when it returns.

use std::time::Duration;

use barograph_model::{Batch, Labels, Sample};
use barograph_store::{Retention, SeriesRef, Settings, Store, Tier, TierStats};
use barograph_testkit::FakeClock;

use super::own::{cpu_seconds, memory_mib};
use super::{Outcome, Scrape, Work, open_idle, scrapes, tell};

/// One scrape per append, by ids, without sealing.
pub(crate) fn append(work: &Work) -> Outcome {
    let recording = work.load()?;
    let clock = Work::clock(&recording);
    let store = open_idle(&work.dir, &clock)?;
    let scrapes = scrapes(&recording, &store)?;
    drop(recording);
    let before = cpu_seconds();
    let mut samples = 0;
    for Scrape { time_ms, series, values } in &scrapes {
        clock.set(*time_ms);
        samples += store.append_rows(*time_ms, series, values)?.stored;
    }
    let cpu = cpu_seconds() - before;
    tell("samples", samples as f64)?;
    tell("samples_per_append", samples as f64 / scrapes.len() as f64)?;
    tell("samples_per_cpu_second", samples as f64 / cpu)?;
    let stats = store.stats();
    tell("head_bytes_per_sample", stats.head_bytes as f64 / samples as f64)?;
    tell("disk_bytes_per_sample", stats.disk_bytes as f64 / samples as f64)?;
    tell("peak_rss_mib", memory_mib().1)?;
    Ok(())
}

/// As [`append`], by labels as the feed of the host does.
pub(crate) fn append_labels(work: &Work) -> Outcome {
    let recording = work.load()?;
    let clock = Work::clock(&recording);
    let store = open_idle(&work.dir, &clock)?;
    let batch = |(number, time_ms): (usize, &i64)| {
        let sample = |(place, value): (usize, f64)| {
            let (labels, _) = &recording.series[place];
            Sample { labels: labels.clone(), value }
        };
        Batch { time_ms: *time_ms, samples: recording.scrape(number).map(sample).collect() }
    };
    let batches: Vec<Batch> = recording.times.iter().enumerate().map(batch).collect();
    let before = cpu_seconds();
    let mut samples = 0;
    for batch in &batches {
        clock.set(batch.time_ms);
        samples += store.append(std::slice::from_ref(batch))?.stored;
    }
    let cpu = cpu_seconds() - before;
    tell("samples_per_cpu_second", samples as f64 / cpu)?;
    Ok(())
}

/// The whole life of a partition: with maintenance once a recorded minute, until its final form.
pub(crate) fn hour(work: &Work) -> Outcome {
    let recording = work.load()?;
    let clock = Work::clock(&recording);
    let retention = Retention::usual();
    let settings = Settings { late_window: None, retention, ..Settings::new(&work.dir) };
    let store = Store::open(settings, clock.clone())?;
    let scrapes = scrapes(&recording, &store)?;
    let started_ms = recording.times.first().copied().unwrap_or_default();
    let ended_ms = recording.times.last().copied().unwrap_or_default();
    drop(recording);
    let before = cpu_seconds();
    let (mut samples, mut shown_ms, mut most) = (0, started_ms, 0.0_f64);
    let mut sizes = Vec::new();
    for Scrape { time_ms, series, values } in &scrapes {
        let step = Duration::from_millis(time_ms.saturating_sub(shown_ms).unsigned_abs());
        clock.advance(step);
        shown_ms = *time_ms;
        samples += store.append_rows(*time_ms, series, values)?.stored;
        if time_ms % 60_000 == 0 {
            store.maintain()?;
            let size = store.stats().disk_bytes as f64 / samples as f64;
            // The first minutes are mostly the names of the series.
            if time_ms - started_ms >= 600_000 {
                sizes.push(size);
                most = most.max(size);
            }
        }
    }
    tell("samples", samples as f64)?;
    tell("samples_per_cpu_second_with_sealing", samples as f64 / (cpu_seconds() - before))?;
    let per_sample = || store.stats().disk_bytes as f64 / samples as f64;
    tell("live_bytes_per_sample", per_sample())?;
    let mean = sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
    tell("live_bytes_per_sample_mean", mean)?;
    tell("live_bytes_per_sample_most", most)?;
    let before = cpu_seconds();
    finish(&store, &clock, ended_ms)?;
    tell("final_form_cpu_ns_per_sample", (cpu_seconds() - before) * 1e9 / samples as f64)?;
    tell("peak_rss_mib", memory_mib().1)?;
    tell("folder_with_samples_alone_bytes_per_sample", per_sample())?;
    roll_up(&store, &clock, ended_ms, samples)
}

/// What the whole folder comes to as time goes on: with the buckets of an hour once they are due,
/// with those of a minute, and when the samples have gone.
fn roll_up(store: &Store, clock: &FakeClock, ended_ms: i64, samples: u64) -> Outcome {
    let per_sample = || store.stats().disk_bytes as f64 / samples as f64;
    let has_samples = || {
        let is_kept = |tier: &TierStats| tier.tier == Tier::Raw && tier.files > 0;
        store.stats().tiers.iter().any(is_kept)
    };
    for (folder, days) in [("with_hours", 4), ("with_hours_and_minutes", 30)] {
        let before = cpu_seconds();
        clock.set(ended_ms);
        clock.advance(Duration::from_secs(days * 86_400));
        store.maintain()?;
        tell(&format!("folder_{folder}_bytes_per_sample"), per_sample())?;
        let cpu = cpu_seconds() - before;
        tell(&format!("folder_{folder}_cpu_ns_per_sample"), cpu * 1e9 / samples as f64)?;
    }
    // A clock that leaps ahead is not believed at once.
    for _ in 0..100 {
        if !has_samples() {
            tell("folder_without_samples_bytes_per_sample", per_sample())?;
            return Ok(());
        }
        clock.advance(Duration::from_secs(3600));
        store.maintain()?;
    }
    Err("the samples do not go".into())
}

/// Lets the day of a time pass, and waits for its final form.
pub(crate) fn finish(store: &Store, clock: &FakeClock, time_ms: i64) -> Outcome {
    clock.set(time_ms);
    clock.advance(Duration::from_secs(2 * 86_400));
    store.maintain()?;
    // What was open just now is closed when it was quiet for long enough.
    clock.advance(Duration::from_secs(7200));
    store.maintain()?;
    Ok(())
}

pub(crate) fn memory_2000(work: &Work) -> Outcome {
    memory(work, 2000, Duration::from_secs(1), 3600)
}

pub(crate) fn memory_100_000(work: &Work) -> Outcome {
    memory(work, 100_000, Duration::from_secs(10), 360)
}

/// Made-up series for so many intervals, with the default settings.
fn memory(work: &Work, series: usize, interval: Duration, intervals: usize) -> Outcome {
    let clock = std::sync::Arc::new(FakeClock::new(1_795_348_800_000));
    let settings = Settings::new(&work.dir);
    let store = Store::open(settings, clock.clone())?;
    let labels = |id: usize| {
        let (name, instance) = (format!("metric_{}_total", id % 500), format!("host-{}", id / 500));
        Labels::new([("__name__", &*name), ("instance", &*instance), ("job", "node")])
    };
    let mut ids: Vec<SeriesRef> = Vec::with_capacity(series);
    for id in 0..series {
        ids.push(store.series(&labels(id)?)?);
    }
    let mut values = vec![0.0; series];
    let (mut cpu, mut samples, mut state) = (0.0, 0, 1_u64);
    for number in 0..intervals {
        clock.advance(interval);
        for (id, value) in values.iter_mut().enumerate() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            // Half of them constant, a third counters, the rest noise.
            match id % 6 {
                0..=2 => {}
                3 | 4 => *value += f64::from(u16::try_from(state >> 54).unwrap_or_default()),
                _ => *value = f64::from(u16::try_from(state >> 50).unwrap_or_default()) / 100.0,
            }
        }
        let before = cpu_seconds();
        let time_ms = barograph_model::Clock::now_ms(&*clock);
        samples += store.append_rows(time_ms, &ids, &values)?.stored;
        if number % 6 == 0 {
            store.maintain()?;
        }
        cpu += cpu_seconds() - before;
    }
    let (rss, peak) = memory_mib();
    tell("samples", samples as f64)?;
    tell("samples_per_cpu_second_with_sealing", samples as f64 / cpu)?;
    tell("rss_mib", rss)?;
    tell("peak_rss_mib", peak)?;
    tell("head_mib", store.stats().head_bytes as f64 / 1_048_576.0)?;
    tell("disk_bytes_per_sample", store.stats().disk_bytes as f64 / samples as f64)?;
    Ok(())
}

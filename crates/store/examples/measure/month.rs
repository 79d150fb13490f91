//! A month at one second: what a chart of it costs from samples, minutes and hours.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Buckets, Labels, Matcher, Samples, Selection, SeriesSource, Windows};
use barograph_store::{Rows, SeriesRef, Settings, Store};
use barograph_testkit::FakeClock;

use super::own::timed_each;
use super::{Outcome, Work, tell};

const DAYS: i64 = 30;
const SERIES: u32 = 8;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const FIRST_MS: i64 = 1_735_689_600_000;

pub(crate) fn month(work: &Work) -> Outcome {
    tell("first_seconds", (FIRST_MS / 1000) as f64)?;
    let clock = Arc::new(FakeClock::new(FIRST_MS));
    let store = Store::open(Settings::new(&work.dir), clock.clone())?;
    for day in 0..DAYS {
        fill(&store, day)?;
        clock.advance(Duration::from_secs(86_400));
        store.maintain()?;
    }
    clock.advance(Duration::from_secs(7200));
    store.maintain()?;
    charts(&store, "as_kept")?;
    drop(store);
    let at_once = Settings {
        minutes_after: Duration::ZERO,
        hours_after: Duration::ZERO,
        ..Settings::new(&work.dir)
    };
    let store = Store::open(at_once, clock)?;
    store.maintain()?;
    charts(&store, "all_rolled_up")
}

/// Half of them counters, the others noise.
fn fill(store: &Store, day: i64) -> Outcome {
    let mut ids: Vec<SeriesRef> = Vec::new();
    for id in 0..SERIES {
        ids.push(store.series(&Labels::new([("__name__", "m"), ("id", &id.to_string())])?)?);
    }
    let start_ms = FIRST_MS + day * DAY_MS;
    for hour in 0..24 {
        let seconds = (0..3600).map(|second| hour * 3600 + second);
        let row = |second: i64| {
            let noise = second.wrapping_mul(2_654_435_761) % 977;
            let value = |id: u32| match id % 2 {
                0 => ((day * 86_400 + second) * 100 + noise) as f64,
                _ => noise as f64 / 8.0,
            };
            let values = (0..SERIES).map(value).collect();
            Rows { time_ms: start_ms + second * 1000, series: ids.clone(), values }
        };
        store.append_each(seconds.map(row).collect())?;
    }
    Ok(())
}

fn charts(store: &Store, what: &str) -> Outcome {
    let charts = [
        ("month_by_hour", DAYS, HOUR_MS),
        ("month_by_20_minutes", DAYS, 20 * MINUTE_MS),
        ("week_by_10_minutes", 7, 10 * MINUTE_MS),
    ];
    for (chart, days, step_ms) in charts {
        let (cpu, read) = timed_each(|| read(store, days, step_ms));
        let per_series = 1.0 / f64::from(SERIES);
        tell(&format!("{what}_{chart}_cpu_ms_per_series"), cpu * 1000.0 * per_series)?;
        tell(&format!("{what}_{chart}_read_per_series"), read? as f64 * per_series)?;
    }
    Ok(())
}

/// Reads what a chart of averages needs; gives how many samples or buckets that were.
fn read(store: &Store, days: i64, step_ms: i64) -> Result<usize, Box<dyn std::error::Error>> {
    let last_ms = FIRST_MS + DAYS * DAY_MS;
    let first_ms = last_ms - days * DAY_MS + step_ms;
    let matchers = [Matcher::equal("__name__", "m")];
    let selection = Selection {
        matchers: &matchers,
        from_ms: first_ms - step_ms + 1,
        to_ms: last_ms,
        windows: Some(Windows { first_ms, last_ms, step_ms, range_ms: step_ms }),
        max_series: usize::MAX,
        max_samples: usize::MAX,
        cancel: None,
    };
    let selected = SeriesSource::select(store, &selection)?;
    let mut reader = selected.reader();
    let (mut buckets, mut samples, mut count) = (Buckets::default(), Samples::default(), 0);
    for series in 0..selected.labels().len() {
        if reader.buckets(series, &mut buckets)? {
            count += buckets.count.len();
        } else {
            reader.samples(series, &mut samples)?;
            count += samples.times.len();
        }
    }
    Ok(count)
}

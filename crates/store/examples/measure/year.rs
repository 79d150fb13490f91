//! A year of days: what many partitions cost to open and to ask.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Labels, Matcher};
use barograph_store::{Limits, Rows, SeriesRef, Settings, Store};
use barograph_testkit::FakeClock;

use super::own::{memory_mib, now, timed};
use super::{Outcome, Work, tell};

const DAYS: u32 = 365;
const SERIES: u32 = 500;
const DAY_MS: i64 = 86_400_000;
/// Ten minutes between samples: the number of files is what is measured.
const STEP_MS: i64 = 600_000;
const FIRST_MS: i64 = 1_735_689_600_000;

pub(crate) fn year(work: &Work) -> Outcome {
    let clock = Arc::new(FakeClock::new(FIRST_MS));
    let open = || Store::open(Settings::new(&work.dir), clock.clone());
    let store = open()?;
    let labels = |id: u32| {
        Labels::new([("__name__", format!("m{}", id % 50)), ("id", format!("{}", id / 50))])
    };
    for day in 0..DAYS {
        let mut ids: Vec<SeriesRef> = Vec::new();
        for id in 0..SERIES {
            ids.push(store.series(&labels(id)?)?);
        }
        let times = (0..DAY_MS / STEP_MS).map(|i| FIRST_MS + i64::from(day) * DAY_MS + i * STEP_MS);
        let rows = |time_ms: i64| {
            let value = |id: u32| f64::from(id % 7) * (time_ms / STEP_MS % 1000) as f64;
            Rows { time_ms, series: ids.clone(), values: (0..SERIES).map(value).collect() }
        };
        store.append_each(times.map(rows).collect())?;
        clock.advance(Duration::from_secs(86_400));
        store.maintain()?;
    }
    // The last days are closed, and rolled up.
    clock.advance(Duration::from_secs(7200));
    store.maintain()?;
    let stats = store.stats();
    tell("partitions", stats.partitions as f64)?;
    drop(store);
    let started = now();
    let (cpu, store) = timed(open);
    let store = store?;
    tell("open_seconds", started.elapsed().as_secs_f64())?;
    tell("open_cpu_seconds", cpu)?;
    let one = [Matcher::equal("__name__", "m7"), Matcher::equal("id", "3")];
    let all = [Matcher::equal("__name__", "m7")];
    let last_ms = FIRST_MS + i64::from(DAYS) * DAY_MS;
    let questions: [(&str, &[Matcher], i64); 4] = [
        ("first_select_one_series_whole_year", &one, FIRST_MS),
        ("select_one_series_whole_year", &one, FIRST_MS),
        ("select_ten_series_whole_year", &all, FIRST_MS),
        ("select_ten_series_last_day", &all, last_ms - DAY_MS),
    ];
    for (what, matchers, from_ms) in questions {
        let started = now();
        let (cpu, answer) = timed(|| store.select(matchers, from_ms, last_ms, &Limits::default()));
        let samples: usize = answer?.data.iter().map(|series| series.times.len()).sum();
        tell(&format!("{what}_ms"), started.elapsed().as_secs_f64() * 1000.0)?;
        tell(&format!("{what}_cpu_ms"), cpu * 1000.0)?;
        tell(&format!("{what}_samples"), samples as f64)?;
    }
    tell("rss_mib", memory_mib().0)?;
    Ok(())
}

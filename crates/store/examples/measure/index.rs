//! A million series: what they take, and how long it takes to find some of them.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Labels, LabelsError, MatchOp, Matcher};
use barograph_store::{Limits, SeriesRef, Store};
use barograph_testkit::FakeClock;

use super::own::{memory_mib, timed, timed_each};
use super::{Outcome, Work, open_idle, tell};

const SERIES: u32 = 1_000_000;
/// In one append; more at once is refused.
const AT_ONCE: u32 = 100_000;
const FIRST_MS: i64 = 1_795_348_800_000;

/// A thousand hosts with a thousand series each.
fn labels(id: u32) -> Result<Labels, LabelsError> {
    let (host, rest) = (id / 1000, id % 1000);
    let (name, device) = (rest / 20, rest % 20);
    Labels::new([
        ("__name__", format!("node_metric_{name}_total")),
        ("host", format!("host-{host:04}.example")),
        ("device", format!("sd{device}")),
        ("zone", format!("zone-{}", host % 8)),
    ])
}

fn fill(store: &Store, range: std::ops::Range<u32>, time_ms: i64) -> Outcome {
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + AT_ONCE);
        let mut ids: Vec<SeriesRef> = Vec::new();
        for id in start..end {
            ids.push(store.series(&labels(id)?)?);
        }
        store.append_rows(time_ms, &ids, &vec![1.0; ids.len()])?;
        start = end;
    }
    Ok(())
}

pub(crate) fn index(work: &Work) -> Outcome {
    let clock = Arc::new(FakeClock::new(FIRST_MS));
    let store = open_idle(&work.dir, &clock)?;
    let (cpu, filled) = timed(|| fill(&store, 0..SERIES, FIRST_MS));
    filled?;
    tell("series", f64::from(SERIES))?;
    tell("new_series_per_cpu_second", f64::from(SERIES) / cpu)?;
    tell("bytes_per_series", memory_mib().0 * 1_048_576.0 / f64::from(SERIES))?;
    tell("rss_mib", memory_mib().0)?;
    let matcher = |label, op, value| Matcher::new(label, op, value);
    let name = matcher("__name__", MatchOp::Equal, "node_metric_7_total")?;
    let host = matcher("host", MatchOp::Equal, "host-0123.example")?;
    let questions = [
        ("one", vec![name.clone(), host.clone(), matcher("device", MatchOp::Equal, "sd3")?]),
        ("name_and_host", vec![name.clone(), host.clone()]),
        ("host", vec![host.clone()]),
        ("name", vec![name.clone()]),
        ("name_not_device", vec![name.clone(), matcher("device", MatchOp::NotEqual, "sd3")?]),
        ("name_regex", vec![matcher("__name__", MatchOp::Regex, "node_metric_[12]_total")?]),
        ("host_regex", vec![name.clone(), matcher("host", MatchOp::Regex, "host-00.*")?]),
        (
            "host_alternatives",
            vec![
                name.clone(),
                matcher("host", MatchOp::Regex, "host-0001.example|host-0777.example")?,
            ],
        ),
        ("not_regex", vec![name.clone(), matcher("host", MatchOp::NotRegex, "host-0.*")?]),
        ("absent_label", vec![name, matcher("nothing", MatchOp::Equal, "")?]),
        ("all", vec![matcher("__name__", MatchOp::NotEqual, "")?]),
    ];
    let limits = Limits { max_series: usize::MAX, ..Limits::default() };
    for (what, matchers) in &questions {
        let (cpu, answer) = timed_each(|| store.series_list(matchers, FIRST_MS, FIRST_MS, &limits));
        let found = answer?.data.len();
        tell(&format!("select_{what}_series"), found as f64)?;
        tell(&format!("select_{what}_cpu_ms"), cpu * 1000.0)?;
    }
    let (cpu, sealed) = timed(|| store.seal());
    sealed?;
    tell("seal_cpu_seconds", cpu)?;
    drop(store);
    let (cpu, store) = timed(|| open_idle(&work.dir, &clock));
    drop(store?);
    tell("open_cpu_seconds", cpu)?;
    Ok(())
}

/// Series that live for a minute, ten thousand of them new each minute: what each further one costs.
pub(crate) fn churn(work: &Work) -> Outcome {
    const AT_A_TIME: u32 = 10_000;
    let clock = Arc::new(FakeClock::new(FIRST_MS));
    let store = open_idle(&work.dir, &clock)?;
    let recent =
        [Matcher::equal("__name__", "node_metric_7_total"), Matcher::equal("zone", "zone-3")];
    let limits = Limits { max_series: usize::MAX, ..Limits::default() };
    for round in 0..50_u32 {
        let time_ms = FIRST_MS + i64::from(round) * 60_000;
        clock.advance(Duration::from_secs(60));
        let series = round * AT_A_TIME..(round + 1) * AT_A_TIME;
        let (cpu, filled) = timed(|| fill(&store, series, time_ms));
        filled?;
        let (asked, answer) = timed(|| store.series_list(&recent, time_ms, time_ms, &limits));
        answer?;
        if round % 10 == 9 {
            let known = (round + 1) * AT_A_TIME;
            tell(&format!("new_series_us_at_{known}"), cpu * 1e6 / f64::from(AT_A_TIME))?;
            tell(&format!("select_ms_at_{known}"), asked * 1000.0)?;
        }
    }
    tell("rss_mib", memory_mib().0)?;
    Ok(())
}

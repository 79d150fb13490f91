//! Reading, and starting.

use std::hint::black_box;

use barograph_model::{METRIC_NAME, Matcher, Selection, SeriesSource};
use barograph_store::Store;
use barograph_testkit::RecordingFile;

use super::own::{now, timed, timed_each};
use super::{Outcome, Scrape, Work, ingest, open_idle, scrapes, tell};

/// One series, a hundred, those of a metric and all, in each form that samples have: read from the
/// file and decoded each time, and with what is kept for questions that come again.
pub(crate) fn read(work: &Work) -> Outcome {
    let recording = work.load()?;
    let clock = Work::clock(&recording);
    let ended_ms = recording.times.last().copied().unwrap_or_default();
    // The metric with the most series, and that of them which was there for longest.
    let mut names: Vec<&str> = recording.series.iter().map(|(labels, _)| labels.name()).collect();
    names.sort_unstable();
    let largest = names.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
    let name = largest.and_then(|same| same.first()).copied().unwrap_or_default().to_owned();
    let of_name = recording.series.iter().filter(|(labels, _)| labels.name() == name);
    let present =
        |values: &[f64]| values.iter().filter(|it| !RecordingFile::is_absent(**it)).count();
    let longest = of_name.max_by_key(|(_, values)| present(values));
    let (one, _) = longest.ok_or("an empty recording")?;
    let one: Vec<Matcher> = one.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    let all = [Matcher::new(METRIC_NAME, barograph_model::MatchOp::Regex, ".+")?];
    let metric = [Matcher::equal(METRIC_NAME, &name)];
    let store = open_idle(&work.dir, &clock)?;
    for Scrape { time_ms, series, values } in &scrapes(&recording, &store)? {
        clock.set(*time_ms);
        store.append_rows(*time_ms, series, values)?;
    }
    drop(recording);
    let questions: [(&str, &[Matcher], usize); 4] = [
        ("one_series", &one, 1),
        ("hundred_series", &all, 100),
        ("metric", &metric, usize::MAX),
        ("all_series", &all, usize::MAX),
    ];
    for form in ["head", "sealed", "final"] {
        match form {
            "head" => {}
            "sealed" => store.seal()?,
            _ => ingest::finish(&store, &clock, ended_ms)?,
        }
        for (keeps, how) in [(false, "new"), (true, "again")] {
            store.keep_decoded(keeps);
            for (what, matchers, series) in &questions {
                // A file that was opened just now keeps nothing until the next pass.
                sum(&store, matchers, *series)?;
                store.maintain()?;
                let (cpu, answer) = timed_each(|| sum(&store, matchers, *series));
                let (sum, samples) = answer?;
                black_box(sum);
                let name = format!("{form}_{what}_{how}_msamples_per_cpu_second");
                tell(&name, samples as f64 / cpu / 1e6)?;
            }
        }
    }
    Ok(())
}

/// The sum of what the first `most` series hold, and how many samples that are.
fn sum(
    store: &Store,
    matchers: &[Matcher],
    most: usize,
) -> Result<(f64, usize), barograph_model::SourceError> {
    let selection = Selection {
        matchers,
        from_ms: 0,
        to_ms: i64::MAX,
        windows: None,
        max_series: usize::MAX,
        max_samples: usize::MAX,
        cancel: None,
    };
    let selected = SeriesSource::select(store, &selection)?;
    let mut reader = selected.reader();
    let (mut sum, mut count) = (0.0, 0);
    for series in 0..selected.labels().len().min(most) {
        let values = reader.columns(series)?.values;
        sum += values.iter().sum::<f64>();
        count += values.len();
    }
    Ok((sum, count))
}

/// With all samples in the head, as after a kill before anything was sealed.
pub(crate) fn start(work: &Work) -> Outcome {
    let recording = work.load()?;
    let clock = Work::clock(&recording);
    let store = open_idle(&work.dir, &clock)?;
    for Scrape { time_ms, series, values } in &scrapes(&recording, &store)? {
        clock.set(*time_ms);
        store.append_rows(*time_ms, series, values)?;
    }
    drop(store);
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..3 {
        let started = now();
        let (spent, store) = timed(|| open_idle(&work.dir, &clock));
        drop(store?);
        wall = wall.min(started.elapsed().as_secs_f64());
        cpu = cpu.min(spent);
    }
    tell("start_seconds", wall)?;
    tell("start_cpu_seconds", cpu)?;
    Ok(())
}

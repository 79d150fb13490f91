//! `barograph counters`: what can be read, and reading it.

mod doctor;
mod list;
mod system;

use std::sync::Arc;
use std::time::Duration;

use barograph_collect::Roots;
use barograph_collect::catalog::{Reading, Session};
use barograph_model::{Clock, CounterPath, SystemClock};
use serde::Serialize;

use crate::cli::CountersReadArgs;
use crate::failure::Failure;
use crate::output;

pub(crate) use doctor::doctor;
pub(crate) use list::list;

#[derive(Debug, Serialize)]
struct ReadingsAnswer<'a> {
    timestamp: String,
    readings: Vec<ReadingAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct ReadingAnswer<'a> {
    path: &'a str,
    value: Option<f64>,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_absent: Option<&'a str>,
}

pub(crate) fn read(args: &CountersReadArgs) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut session = Session::new(&Roots::default(), Arc::clone(&clock), parse(&args.paths)?)
        .map_err(|error| Failure::Input(barograph_model::chain(&error)))?;
    let mut next = clock.monotonic();
    if session.needs_two() {
        session.sample();
        wait_until(&*clock, &mut next, args.every);
    }
    let mut left = args.count;
    loop {
        let readings = session.sample();
        print(&readings, &output::timestamp(clock.now_ms()), args.json)?;
        left = left.map(|count| count - 1);
        if left == Some(0) {
            return Ok(());
        }
        wait_until(&*clock, &mut next, args.every);
    }
}

/// All paths, or every mistake in them at once.
pub(crate) fn parse(paths: &[String]) -> anyhow::Result<Vec<CounterPath>> {
    let mut mistakes = Vec::new();
    let mut parsed = Vec::new();
    for path in paths {
        match CounterPath::parse(path) {
            Ok(path) => parsed.push(path),
            Err(error) => mistakes.push(format!("{}\n{}", error.problem, error.marked())),
        }
    }
    if mistakes.is_empty() { Ok(parsed) } else { Err(Failure::Input(mistakes.join("\n")).into()) }
}

/// Sleeps until the next whole interval after `next`; intervals that have passed are left out.
fn wait_until(clock: &dyn Clock, next: &mut Duration, every: Duration) {
    next_tick(clock, next, every);
    std::thread::sleep(next.saturating_sub(clock.monotonic()));
}

/// Moves `next` to its next whole interval that has not passed.
pub(crate) fn next_tick(clock: &dyn Clock, next: &mut Duration, every: Duration) {
    let now = clock.monotonic();
    while *next <= now {
        *next += every;
    }
}

fn print(readings: &[Reading], timestamp: &str, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let answer = |reading| reading_answer(reading);
        let readings = readings.iter().map(answer).collect();
        return output::json(&ReadingsAnswer { timestamp: timestamp.to_owned(), readings });
    }
    let rows: Vec<Vec<String>> = readings.iter().map(read_row).collect();
    output::line(&format!("{timestamp}\n{}", output::table(&rows)))
}

fn reading_answer(reading: &Reading) -> ReadingAnswer<'_> {
    ReadingAnswer {
        path: &reading.path,
        value: reading.value,
        unit: reading.unit.as_str(),
        why_absent: reading.why_absent.as_deref(),
    }
}

fn read_row(reading: &Reading) -> Vec<String> {
    let value = match (reading.value, &reading.why_absent) {
        (Some(value), _) => format!("{} {}", number(value), reading.unit.symbol()),
        (None, Some(why)) => format!("– ({why})"),
        (None, None) => "–".to_owned(),
    };
    vec![format!("  {}", reading.path), value.trim_end().to_owned()]
}

/// Up to three decimals, none for whole numbers.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_useless_digits() {
        assert_eq!(number(3.0), "3");
        assert_eq!(number(12.345_678), "12.346");
        assert_eq!(number(1_048_576_000.0), "1048576000");
        assert_eq!(number(0.000_1), "0");
    }

    #[test]
    fn mistakes_in_paths_are_all_shown_at_their_place() {
        let paths = [r"\Memory\Available Bytes", r"Memory\x", r"\Processor(a\x"].map(str::to_owned);
        let text = parse(&paths).unwrap_err().to_string();
        assert_eq!(
            text,
            "a counter path starts with a backslash\nMemory\\x\n^\n\
             the bracket that opens here is not closed before the counter's name\n\\Processor(a\\x\n          ^"
        );
    }
}

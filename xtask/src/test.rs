//! `cargo xtask test`: installs what the tests need and runs all of them, in steps.

pub(crate) mod count;
mod report;
mod second_try;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::tools;
pub(crate) use count::Tally;
use steps::{STEPS, Step};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out the browser and Wine, and what only they need
    #[arg(long)]
    quick: bool,
    /// Only these steps, such as `--only tidy,clippy`
    #[arg(long, value_delimiter = ',', value_name = "STEPS")]
    only: Vec<String>,
}

/// One step's name, time and outcome.
#[derive(Debug)]
struct Finished {
    name: &'static str,
    took: Duration,
    tally: Tally,
    /// Why it failed, where no runner has said so.
    reason: Option<String>,
}

/// Runs the steps to the end, also after one fails, and counts.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let steps = choose(options)?;
    let mut needs: Vec<&'static tools::Tool> = Vec::new();
    for tool in steps.iter().flat_map(|step| step.needs) {
        if !needs.iter().any(|known| std::ptr::eq(*known, *tool)) {
            needs.push(tool);
        }
    }
    let missing = tools::provide(&needs);
    let finished: Vec<_> = steps
        .into_iter()
        .map(|step| {
            let lacks: Vec<_> = missing
                .iter()
                .filter(|(tool, _)| step.needs.iter().any(|need| std::ptr::eq(*need, *tool)))
                .map(|(_, reason)| reason.as_str())
                .collect();
            perform(step, &lacks)
        })
        .collect();
    report::print(&finished);
    let failed = finished.iter().any(|step| step.tally.failed > 0);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn perform(step: &Step, lacks: &[&str]) -> Finished {
    println!("\n== {}: {}", step.name, step.purpose);
    let start = now();
    let outcome =
        if lacks.is_empty() { (step.run)() } else { Err(anyhow::anyhow!(lacks.join("\n"))) };
    let (tally, reason) = match outcome {
        Ok(tally) => (tally, None),
        Err(error) => (Tally::new(0, 1), Some(format!("{error:#}"))),
    };
    let took = start.elapsed();
    if let Some(reason) = &reason {
        println!("{reason}");
    }
    println!("== {}: {tally} in {:.1} s", step.name, took.as_secs_f64());
    Finished { name: step.name, took, tally, reason }
}

fn choose(options: &Options) -> Result<Vec<&'static Step>> {
    if let Some(unknown) =
        options.only.iter().find(|name| !STEPS.iter().any(|step| step.name == **name))
    {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("no step is called `{unknown}`; the steps are {}", names.join(", "));
    }
    let chosen: Vec<_> = STEPS
        .iter()
        .filter(|step| step.quick || !options.quick)
        // On Windows itself the unit tests are the Windows tests.
        .filter(|step| !(cfg!(windows) && step.name == "wine"))
        .filter(|step| options.only.is_empty() || options.only.iter().any(|it| it == step.name))
        .collect();
    if chosen.is_empty() {
        bail!("`--quick` leaves out every step named by `--only`");
    }
    Ok(chosen)
}

#[expect(clippy::disallowed_methods, reason = "a step's time is told to people, never tested")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(quick: bool, only: &[&str]) -> Result<Vec<&'static str>> {
        let only = only.iter().map(|&name| name.to_owned()).collect();
        Ok(choose(&Options { quick, only })?.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn quick_leaves_out_browser_and_wine_and_nothing_else() {
        let all = names(false, &[]).unwrap();
        let quick = names(true, &[]).unwrap();
        let left_out: Vec<_> = all.into_iter().filter(|name| !quick.contains(name)).collect();
        assert_eq!(left_out, ["browser", "wine"]);
    }

    #[test]
    fn chosen_steps_keep_the_tables_order() {
        assert_eq!(names(false, &["clippy", "fmt"]).unwrap(), ["fmt", "clippy"]);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_steps() {
        let error = names(false, &["fmt", "flippy"]).unwrap_err().to_string();
        assert!(error.starts_with("no step is called `flippy`; the steps are fmt, "), "{error}");
        assert!(names(true, &["wine"]).is_err());
    }

    #[test]
    fn a_step_that_lacks_a_tool_fails_with_the_reason_and_is_not_run() {
        let step =
            Step { name: "x", purpose: "", quick: true, needs: &[], run: || bail!("must not run") };
        let finished = perform(&step, &["a unicorn is missing"]);
        assert_eq!(finished.tally, Tally::new(0, 1));
        assert_eq!(finished.reason.as_deref(), Some("a unicorn is missing"));
    }
}

//! `barograph rules`: checks and tests rule files without a server, or on a server's history.

mod backtest;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use barograph_alerts::rule::{Rule, read_rules_with};
use barograph_alerts::unit_test::{self, Failure};
use barograph_model::{Clock, SystemClock, chain};
use barograph_server::CounterPaths;
use clap::{Args, Subcommand};

use crate::output;

use backtest::BacktestArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check rule files: all mistakes, each with its line.
    Check(Files),
    /// Run tests of rules, in the format of `promtool test rules`.
    Test(Files),
    /// Tell how often the alerting rules of a file would have fired on the history of a running
    /// server.
    Backtest(BacktestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Files as Prometheus reads them, or of tests.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Check(files) => check(files),
        RulesCommand::Test(files) => test(files),
        RulesCommand::Backtest(args) => backtest::run(args),
    }
}

fn check(files: &Files) -> anyhow::Result<()> {
    let mut bad = 0;
    for path in &files.files {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        match read_rules_with(&text, &CounterPaths::for_rules()) {
            Ok(groups) => {
                let rules: Vec<&Rule> = groups.iter().flat_map(|group| &group.rules).collect();
                let alerting =
                    rules.iter().filter(|rule| matches!(rule, Rule::Alerting(_))).count();
                let recording = rules.len() - alerting;
                output::line(&format!(
                    "{shown}: {} groups, {alerting} alerting and {recording} recording rules",
                    groups.len()
                ))?;
            }
            Err(problems) => {
                bad += 1;
                for problem in problems {
                    output::line(&format!("{shown}:{problem}"))?;
                }
            }
        }
    }
    if bad > 0 {
        bail!("{bad} of {} files have mistakes", files.files.len())
    }
    Ok(())
}

fn test(files: &Files) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut passed, mut failed) = (0, 0);
    for path in &files.files {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let read =
            |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| chain(&error));
        match unit_test::run(&text, &clock, &read, &CounterPaths::for_rules()) {
            Ok(report) => {
                passed += report.passed;
                failed += report.failures.len();
                for failure in &report.failures {
                    output::line(&told(&shown.to_string(), failure))?;
                }
            }
            Err(problems) => {
                failed += 1;
                for problem in problems {
                    output::line(&format!("{shown}: {problem}"))?;
                }
            }
        }
    }
    output::line(&format!("{passed} passed, {failed} failed"))?;
    if failed > 0 {
        bail!("tests of rules failed")
    }
    Ok(())
}

fn told(file: &str, failure: &Failure) -> String {
    let Failure { test, what, expected, found } = failure;
    let list = |texts: &[String]| match texts {
        [] => "    nothing".to_owned(),
        texts => texts.iter().map(|text| format!("    {text}")).collect::<Vec<_>>().join("\n"),
    };
    format!("{file}: {test}: {what}\n  expected:\n{}\n  found:\n{}", list(expected), list(found))
}

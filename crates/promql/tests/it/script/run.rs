//! Runs a script.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use barograph_model::{Labels, METRIC_NAME, SystemClock};
use barograph_promql::ast::{Expr, Node};
use barograph_promql::{Answer, Engine, MemorySource, Options, Query, Settings};

use super::check;
use super::read::{self, Command, Eval, When};
use super::{Case, Outcome};
use barograph_promql::notation::{Line, Value};

const NATIVE: &str = "needs native histograms";

/// All cases of a script, in order.
///
/// # Errors
/// The script cannot be read.
pub(crate) fn run(script: &str) -> Result<Vec<Case>, String> {
    let mut world = World {
        engine: Engine::new(Settings::default(), Arc::new(SystemClock::new())),
        source: MemorySource::new(),
        natives: Vec::new(),
    };
    let mut cases = Vec::new();
    for command in read::commands(script)? {
        match command {
            Command::Clear => {
                world.source.clear();
                world.natives.clear();
            }
            Command::Load { step_ms, with_native, series } => {
                for line in &series {
                    world.load(line, step_ms, with_native);
                }
            }
            Command::Eval(eval) => {
                // A panic is that case's failure and not the end of the script.
                let outcome = catch_unwind(AssertUnwindSafe(|| world.eval(&eval)))
                    .unwrap_or_else(|_| Outcome::Failed("it panicked".to_owned()));
                cases.push(Case { line: eval.line, expr: eval.expr, outcome });
            }
        }
    }
    Ok(cases)
}

struct World {
    engine: Engine,
    source: MemorySource,
    /// Series with native histograms, which were not loaded.
    natives: Vec<Labels>,
}

impl World {
    fn load(&mut self, line: &Line, step_ms: i64, with_native: bool) {
        if line.values.contains(&Value::Histogram) {
            self.natives.push(line.labels.clone());
        }
        let name = line.labels.get(METRIC_NAME).unwrap_or_default();
        if let (true, Some(base)) = (with_native, name.strip_suffix("_bucket")) {
            let others =
                line.labels.iter().filter(|(label, _)| !["le", METRIC_NAME].contains(label));
            let labels = Labels::new(others.chain([(METRIC_NAME, base)])).unwrap();
            self.natives.push(labels);
        }
        for (time_ms, value) in (0..).step_by(usize::try_from(step_ms).unwrap()).zip(&line.values) {
            if let Value::Number(value) = value {
                self.source.push(&line.labels, time_ms, *value);
            }
        }
    }

    fn eval(&self, eval: &Eval) -> Outcome {
        if eval.expect.has_histograms {
            return Outcome::Skipped(NATIVE);
        }
        let query = match Query::parse(&eval.expr) {
            Ok(query) => query,
            Err(error) if eval.expect.fails => {
                return check::failure(&eval.expect, &error.to_string());
            }
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        if self.meets_natives(query.expr()) || speaks_of_natives(eval) {
            return Outcome::Skipped(NATIVE);
        }
        let ask = |when| self.ask(&query, when);
        match ask(eval.when) {
            Err(error) if eval.expect.fails => check::failure(&eval.expect, &error),
            Err(error) => Outcome::Failed(error),
            Ok(answer) => {
                let outcome = check::answer(&eval.expect, eval.when, &answer);
                match (outcome, eval.when) {
                    (Outcome::Passed, When::Instant { at_ms }) => {
                        self.check_middle(eval, &query, at_ms)
                    }
                    (outcome, _) => outcome,
                }
            }
        }
    }

    fn ask(&self, query: &Query, when: When) -> Result<Answer, String> {
        let options = Options::default();
        match when {
            When::Instant { at_ms } => self.engine.instant(&self.source, query, at_ms, &options),
            When::Range { from_ms, to_ms, step_ms } => {
                self.engine.range(&self.source, query, from_ms, to_ms, step_ms, &options)
            }
        }
        .map_err(|error| error.to_string())
    }

    /// An instant's answer is the middle of a range's, too.
    fn check_middle(&self, eval: &Eval, query: &Query, at_ms: i64) -> Outcome {
        const AROUND_MS: i64 = 60_000;
        let expect = &eval.expect;
        let knows_its_range = ["start()", "end()", "step()", "range()"];
        if expect.ordered
            || expect.string.is_some()
            || expect.matrix.is_some()
            || knows_its_range.iter().any(|word| eval.expr.contains(word))
        {
            return Outcome::Passed;
        }
        let (from_ms, to_ms, step_ms) = (at_ms - AROUND_MS, at_ms + AROUND_MS, AROUND_MS);
        match self.ask(query, When::Range { from_ms, to_ms, step_ms }) {
            Ok(answer) => match check::middle(expect, at_ms, &answer) {
                Outcome::Failed(problem) => {
                    Outcome::Failed(format!("as the middle of a range: {problem}"))
                }
                outcome => outcome,
            },
            // Other moments of the range may fail where this one does not.
            Err(_) if expect.fails => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("as the middle of a range: {error}")),
        }
    }

    /// Whether any selector matches a series that could not be loaded.
    fn meets_natives(&self, expr: &Expr) -> bool {
        let matchers = match &expr.node {
            Node::Vector(selector) => &selector.matchers,
            Node::Matrix(matrix) => &matrix.selector.matchers,
            _ => return expr.children().into_iter().any(|child| self.meets_natives(child)),
        };
        self.natives.iter().any(|labels| matchers.iter().all(|matcher| matcher.matches(labels)))
    }
}

fn speaks_of_natives(eval: &Eval) -> bool {
    let texts = eval.expect.warn_texts.iter().chain(&eval.expect.info_texts);
    texts.into_iter().any(|text| format!("{text:?}").contains("native histogram"))
}

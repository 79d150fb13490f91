//! Who is told, step by step.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::{Policy, PolicyProblem};

use super::{Draft, Reading, Use, unless};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let policy: Policy = draft.read()?;
    let steps = Path::root().field("steps");
    let problems = policy.check().err().unwrap_or_default();
    let problems = problems.iter().map(|problem| draft.problem(&place(problem, &steps), problem));
    let mut uses = Vec::new();
    for (number, step) in policy.steps.iter().enumerate() {
        uses.extend(Use::targets(&steps.item(number).field("notify"), &step.notify));
    }
    uses.extend(Use::targets(&Path::root().field("fall_through"), &policy.fall_through));
    unless(problems.collect(), Reading { uses, warnings: Vec::new() })
}

fn place(problem: &PolicyProblem, steps: &Path) -> Path {
    let step = |number: &usize| steps.item(number.saturating_sub(1));
    match problem {
        PolicyProblem::NoSteps | PolicyProblem::TooMany(_) => steps.clone(),
        PolicyProblem::Nobody(number) => step(number).field("notify"),
        PolicyProblem::Order(number) => step(number).field("after"),
        PolicyProblem::Repeat(number, _) => step(number).field("repeat"),
        PolicyProblem::Rounds(_) => Path::root().field("rounds"),
    }
}

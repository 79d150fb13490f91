//! Rules.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::rule::{Rule, read_rules_with};

use super::{Draft, POLICIES, Reading, Use};
use crate::queries::CounterPaths;

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let groups = read_rules_with(draft.text, &CounterPaths::for_rules())?;
    let mut reading = Reading::default();
    if groups.iter().all(|group| group.rules.is_empty()) {
        reading.warnings.push(Problem::whole("there is no rule in it"));
    }
    let root = Path::root().field("groups");
    for (number, group) in groups.iter().enumerate() {
        let rules = root.item(number).field("rules");
        for (place, rule) in group.rules.iter().enumerate() {
            if let Rule::Alerting(rule) = rule
                && let Some(policy) = &rule.escalation
            {
                reading.uses.push(Use {
                    path: rules.item(place).field("escalation"),
                    kind: POLICIES,
                    name: policy.clone(),
                    // The tree of routes tells somebody all the same.
                    is_needed: false,
                });
            }
        }
    }
    Ok(reading)
}

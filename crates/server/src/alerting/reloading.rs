//! Rules that change while they are evaluated: alerts of rules that stay go on, those of rules that
//! are gone end.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph_alerts::machine::Transition;

use super::loading::Loaded;
use super::round::{GroupState, RuleState};

/// Groups as they are to be evaluated from now on, what ended with rules that are gone, and the keys
/// of those rules.
pub(super) struct Reloaded {
    pub(super) groups: Vec<GroupState>,
    pub(super) ended: Vec<Transition>,
    pub(super) gone: Vec<String>,
}

pub(super) fn reload(
    before: Vec<GroupState>,
    loaded: Vec<Loaded>,
    at_ms: i64,
    monotonic: Duration,
) -> Reloaded {
    let mut groups_before: BTreeMap<String, GroupState> = BTreeMap::new();
    let mut rules_before: BTreeMap<String, RuleState> = BTreeMap::new();
    for mut group in before {
        let states: Vec<RuleState> = group.rules.drain(..).collect();
        for (place, state) in states.into_iter().enumerate() {
            rules_before.insert(group.rule_key(place), state);
        }
        groups_before.insert(group.loaded.key.clone(), group);
    }
    let groups = loaded.into_iter().map(|loaded| {
        let mut group = match groups_before.remove(&loaded.key) {
            Some(before) => before.with(loaded),
            None => GroupState::new(loaded, monotonic),
        };
        let keys: Vec<String> =
            (0..group.loaded.group.rules.len()).map(|place| group.rule_key(place)).collect();
        group.rules = keys.iter().map(|key| rules_before.remove(key).unwrap_or_default()).collect();
        group
    });
    let groups = groups.collect();
    let mut reloaded = Reloaded { groups, ended: Vec::new(), gone: Vec::new() };
    for (key, mut state) in rules_before {
        reloaded.ended.extend(state.alerts.end_all(at_ms));
        reloaded.gone.push(key);
    }
    reloaded
}

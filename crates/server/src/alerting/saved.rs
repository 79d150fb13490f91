//! What is saved of alerts and incidents, and how it comes back.
//!
//! The alerts of a rule are one entry, or several when there are many. They are written when
//! something happened, and once a minute while one is pending, so that a crash costs a pending alert
//! at most a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph_alerts::machine::{Alert, Phase, RuleAlerts};
use barograph_state::{Change, State, StateError};

use super::desk::Desk;
use super::loading::Loaded;
use super::round::GroupState;

const ALERTS: &str = "alerts";
/// Alerts in one entry, so that none grows beyond what an entry may take.
const PART: usize = 300;
const PENDING_SAVED_EVERY: Duration = Duration::from_secs(60);

/// Saved alerts of rules that are gone, by the rules' keys.
pub(super) type Orphans = BTreeMap<String, Vec<Alert>>;

/// Groups with the alerts that were saved of their rules, and the alerts that were saved of rules
/// that are gone, by the rules' keys.
pub(super) fn restore(
    state: &State,
    loaded: Vec<Loaded>,
    monotonic: Duration,
) -> Result<(Vec<GroupState>, Orphans), StateError> {
    let listing = state.read(|view| view.entries(ALERTS))?;
    for damaged in &listing.damaged {
        tracing::error!(entry = damaged, "saved alerts are damaged and left out");
    }
    let mut saved = Orphans::new();
    for (key, body) in listing.items {
        let rule = key.rsplit_once('/').map_or(key.as_str(), |(rule, _)| rule);
        match serde_json::from_slice::<Vec<Alert>>(&body) {
            Ok(alerts) => saved.entry(rule.to_owned()).or_default().extend(alerts),
            Err(error) => tracing::error!(key, %error, "saved alerts are not understood"),
        }
    }
    let groups = loaded.into_iter().map(|loaded| {
        let mut group = GroupState::new(loaded, monotonic);
        for place in 0..group.rules.len() {
            let alerts = saved.remove(&group.rule_key(place)).unwrap_or_default();
            if let Some(rule) = group.rules.get_mut(place) {
                rule.alerts = RuleAlerts::restore(alerts);
            }
        }
        group
    });
    let groups = groups.collect();
    Ok((groups, saved))
}

/// Writes what changed at the desk, and more, in one transaction.
pub(super) fn save_with<T, E: From<StateError>>(
    state: &State,
    desk: &mut Desk,
    more: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let done = state.write(|change| {
        desk.write(change)?;
        more(change)
    })?;
    desk.saved();
    Ok(done)
}

/// Writes what changed in one transaction.
pub(super) fn save(
    state: &State,
    groups: &mut [GroupState],
    desk: &mut Desk,
    monotonic: Duration,
) -> Result<(), StateError> {
    let mut due = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        for (place, rule) in group.rules.iter().enumerate() {
            let is_pending = rule.alerts.iter().any(|alert| alert.phase == Phase::Pending);
            let is_old = monotonic.saturating_sub(rule.saved) >= PENDING_SAVED_EVERY;
            if rule.is_unsaved || (is_pending && is_old) {
                due.push((number, place));
            }
        }
    }
    if due.is_empty() && !desk.is_unsaved() {
        return Ok(());
    }
    state.write(|change| {
        for (number, place) in &due {
            if let Some(group) = groups.get(*number)
                && let Some(rule) = group.rules.get(*place)
            {
                write_alerts(change, &group.rule_key(*place), &rule.alerts)?;
            }
        }
        desk.write(change)
    })?;
    for (number, place) in due {
        if let Some(rule) = groups.get_mut(number).and_then(|group| group.rules.get_mut(place)) {
            rule.is_unsaved = false;
            rule.saved = monotonic;
        }
    }
    desk.saved();
    Ok(())
}

pub(super) fn write_alerts(
    change: &mut Change<'_>,
    key: &str,
    alerts: &RuleAlerts,
) -> Result<(), StateError> {
    let all: Vec<&Alert> = alerts.iter().collect();
    let mut part = 0;
    for alerts in all.chunks(PART) {
        let body = serde_json::to_vec(alerts).unwrap_or_default();
        change.set_entry(ALERTS, &format!("{key}/{part}"), &body)?;
        part += 1;
    }
    // Parts that are not needed any more.
    while change.remove_entry(ALERTS, &format!("{key}/{part}"))? {
        part += 1;
    }
    Ok(())
}

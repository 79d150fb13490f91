//! Alerts that come of no rule: the program itself found something wrong.

use super::{Alert, Phase, Texts, Transition, TransitionKind};

impl Transition {
    /// An alert of the program itself begins to fire.
    pub fn fired(labels: Texts, annotations: Texts, at_ms: i64) -> Self {
        let alert = Alert {
            series: labels.clone(),
            labels,
            annotations,
            value: 1.0,
            phase: Phase::Firing,
            is_unknown: false,
            is_flapping: false,
            active_ms: at_ms,
            fired_ms: Some(at_ms),
            resolved_ms: None,
            generation: 1,
            is_quiet: false,
            held_ms: 0,
            quiet_ms: 0,
            fires: vec![at_ms],
        };
        Self { kind: TransitionKind::Fired, alert }
    }

    /// It ends; the labels say which one.
    pub fn resolved(labels: Texts, at_ms: i64) -> Self {
        let mut it = Self::fired(labels, Texts::new(), at_ms);
        it.kind = TransitionKind::Resolved;
        it.alert.phase = Phase::Resolved;
        it.alert.resolved_ms = Some(at_ms);
        it
    }
}

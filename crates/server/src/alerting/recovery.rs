//! Silences that end by themselves once what they hid is over.

use barograph_alerts::machine::Phase;
use barograph_alerts::mute::Silence;
use barograph_model::chain;
use barograph_state::Expected;

use super::desk::Desk;
use super::{Shared, lock};
use crate::documents::{Author, SILENCES, Wanted};

impl Desk {
    /// Silences that have hidden something of which nothing fires any more.
    fn recovered(&self, at_ms: i64) -> Vec<(String, Silence)> {
        let silences = self.book.silences.iter();
        let wanted = silences.filter(|(_, it)| it.ends_on_recovery && it.is_active(at_ms));
        let recovered = wanted.filter(|(name, it)| {
            let label = format!("silence {name}");
            let members = || self.incidents().flat_map(|(_, incident)| incident.alerts.values());
            let mut hidden = members().filter(|member| {
                member.muted_by.as_deref() == Some(&label)
                    && member.resolved_ms.is_none_or(|ended_ms| ended_ms >= it.from_ms)
            });
            let fires = members()
                .any(|member| member.phase == Phase::Firing && it.matchers.matches(&member.labels));
            !fires && hidden.next().is_some()
        });
        recovered.map(|(name, it)| (name.clone(), it.clone())).collect()
    }
}

impl Shared {
    pub(super) fn end_silences(&self) {
        let now_ms = self.clock.now_ms();
        for (name, mut silence) in lock(&self.desk).recovered(now_ms) {
            silence.to_ms = now_ms;
            // JSON is YAML, too.
            let Ok(text) = serde_json::to_string_pretty(&silence) else { continue };
            let wanted = Wanted {
                kind: SILENCES.to_owned(),
                name: name.clone(),
                text: Some(text),
                expected: Expected::Any,
            };
            let note = "nothing that it hid fires any more";
            match self.documents.apply(&[wanted], Author { by: "barograph", note }, false) {
                Ok(_) => tracing::info!(silence = name, "silence ended, all is well"),
                Err(error) => {
                    tracing::error!(silence = name, error = %chain(&error), "silence not ended");
                }
            }
        }
    }
}

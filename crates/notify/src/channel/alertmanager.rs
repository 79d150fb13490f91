//! Another Alertmanager, by its API version 2: it groups, silences and tells by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::access::Access;
use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::http::Call;
use crate::failure::Failure;
use crate::notification::Event;
use crate::reader::Fields;
use crate::text::rfc3339;

#[derive(Debug)]
struct Alertmanager {
    server: String,
    /// How long an alert counts when nothing more is heard of it.
    hold: Duration,
    access: Access,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Alertmanager {
        server: super::needed_server(fields, "http://alertmanager:9093"),
        hold: fields.duration("hold", 60..=604_800).unwrap_or(Duration::from_secs(86_400)),
        access: Access::read(fields),
    })
}

impl Way for Alertmanager {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let hold_ms = i64::try_from(self.hold.as_millis()).unwrap_or(i64::MAX);
        let until_ms = telling.now_ms.saturating_add(hold_ms);
        let page = it.links.page.clone().unwrap_or_default();
        let alert =
            |labels: &BTreeMap<_, _>, annotations: &_, started_ms, ended_ms: Option<i64>| {
                json!({
                    "labels": named(labels),
                    "annotations": annotations,
                    "startsAt": rfc3339(started_ms),
                    "endsAt": rfc3339(ended_ms.unwrap_or(until_ms)),
                    "generatorURL": page,
                })
            };
        let is_over = it.event == Event::Resolved;
        let mut alerts: Vec<Value> = it
            .alerts
            .iter()
            .map(|one| {
                let ended_ms = one.ended_ms.or(it.ended_ms.filter(|_| is_over));
                alert(&one.labels, &one.annotations, one.started_ms, ended_ms)
            })
            .collect();
        if alerts.is_empty() {
            let title = ("summary".to_owned(), it.title.clone());
            let annotations = BTreeMap::from([title]);
            alerts.push(alert(&BTreeMap::new(), &annotations, it.since_ms, it.ended_ms));
        }
        let url = format!("{}/api/v2/alerts", self.server);
        let mut call = Call::json("alertmanager", url, &Value::from(alerts));
        self.access.add_to(telling, &mut call)?;
        Ok(vec![Parcel::Http(call)])
    }
}

/// Labels as Alertmanager takes them: none is empty, and there is a name.
fn named(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut named = labels.clone();
    named.retain(|_, value| !value.is_empty());
    named.entry("alertname".to_owned()).or_insert_with(|| "Barograph".to_owned());
    named
}

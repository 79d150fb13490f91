//! What a channel's document wants said otherwise.

use std::collections::BTreeMap;

use barograph_template::{Data, Template, Value};
use jiff::tz::TimeZone;

use crate::escape::{self, Escape};
use crate::notification::{Alert, Event, Notification};
use crate::reader::Fields;
use crate::{sample, text};

/// Templates by what they are for: `title`, `text`, `html`, `body`.
#[derive(Debug, Default)]
pub(crate) struct Templates(BTreeMap<&'static str, Template>);

impl Templates {
    /// Reads the templates that a type of channel can have, and tries each.
    pub(crate) fn read(fields: &mut Fields, names: &'static [&'static str]) -> Self {
        if names.is_empty() {
            return Self::default();
        }
        let read = |fields: &mut Fields| {
            let mut templates = BTreeMap::new();
            for name in names {
                let Some((text, (line, column))) = fields.block(name) else { continue };
                let tried = Template::parse(&text).and_then(|template| {
                    let it = sample::notification(0);
                    fill(&template, &it, &TimeZone::UTC, escape::plain).map(|_| template)
                });
                match tried {
                    Ok(template) => {
                        templates.insert(*name, template);
                    }
                    Err(error) => {
                        let message = format!("in its line {}: {}", error.line, error.problem);
                        fields.refuse(name, (line, column), message);
                    }
                }
            }
            Self(templates)
        };
        fields.group("templates", read).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What a template says, if there is one. What it says of a mistake in it is for the reader of
    /// the message: an alert must not be lost for it.
    pub(crate) fn fill(
        &self,
        name: &str,
        it: &Notification,
        zone: &TimeZone,
        escape: Escape,
    ) -> Option<Result<String, String>> {
        let filled = fill(self.0.get(name)?, it, zone, escape);
        Some(filled.map_err(|error| format!("(the channel's template `{name}` failed: {error})")))
    }
}

fn fill(
    template: &Template,
    it: &Notification,
    zone: &TimeZone,
    escape: Escape,
) -> Result<String, barograph_template::TemplateError> {
    let dot = data(it, zone);
    let external_url = it.links.server.as_deref().unwrap_or_default();
    template.fill_data(&Data { dot: &dot, external_url, now_ms: it.at_ms, escape })
}

/// What templates see.
fn data(it: &Notification, zone: &TimeZone) -> Value {
    let known = |text: Option<&str>| Value::text_of(text.unwrap_or_default());
    let lines = |lines: Vec<String>| Value::List(lines.into_iter().map(Value::Text).collect());
    let time =
        |ms: Option<i64>| Value::text_of(ms.map_or_else(String::new, |ms| text::time(ms, zone)));
    let links = text::links(it).into_iter().map(|(name, url)| (name, Value::text_of(url)));
    let status = if it.event == Event::Resolved { "resolved" } else { "firing" };
    let incident = it.incident.and_then(|number| i64::try_from(number).ok());
    Value::map([
        ("Status", Value::text_of(status)),
        ("Event", Value::text_of(it.event.word())),
        ("Severity", Value::text_of(it.severity.word())),
        ("Title", Value::text_of(it.title.clone())),
        ("Headline", Value::text_of(text::headline(it))),
        ("Text", Value::text_of(text::told(it, zone))),
        ("Host", known(it.host.as_deref())),
        ("Incident", incident.map_or_else(|| Value::text_of(""), Value::Integer)),
        ("Since", time(Some(it.since_ms))),
        ("Ended", time(it.ended_ms)),
        ("Alerts", Value::List(it.alerts.iter().map(|one| alert(one, it, &time)).collect())),
        ("Processes", lines(text::processes(it, 10))),
        ("Events", lines(text::events(it, zone, 10))),
        ("Links", Value::map(links)),
        ("By", known(it.act.as_ref().map(|act| act.by.as_str()))),
        ("Reason", known(it.act.as_ref().map(|act| act.reason.as_str()))),
        ("Recipient", known(it.recipient.as_ref().map(|it| it.name.as_str()))),
        ("ExternalURL", known(it.links.server.as_deref())),
    ])
}

fn alert(alert: &Alert, it: &Notification, time: &impl Fn(Option<i64>) -> Value) -> Value {
    let is_over = alert.ended_ms.is_some() || it.event == Event::Resolved;
    let number = |number: Option<f64>| number.map_or_else(|| Value::text_of(""), Value::Float);
    Value::map([
        ("Name", Value::text_of(alert.name.clone())),
        ("Status", Value::text_of(if is_over { "resolved" } else { "firing" })),
        ("Severity", Value::text_of(alert.severity.word())),
        ("Labels", Value::texts(&alert.labels)),
        ("Annotations", Value::texts(&alert.annotations)),
        ("Value", number(alert.value)),
        ("Threshold", number(alert.threshold)),
        ("Unit", Value::text_of(alert.unit.clone())),
        ("Measured", Value::text_of(text::measured(alert).unwrap_or_default())),
        ("Line", Value::text_of(text::alert_line(alert))),
        ("StartsAt", time(Some(alert.started_ms))),
        ("EndsAt", time(alert.ended_ms)),
        ("Runbook", Value::text_of(alert.runbook.clone().unwrap_or_default())),
    ])
}

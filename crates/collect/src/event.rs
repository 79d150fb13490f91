//! Things that happen on the host: a process started or ended, a service stopped, a disk
//! appeared. A collector that finds one hands it to its [`EventSink`]; it never waits for that.

use std::borrow::Cow;
use std::fmt;

/// One thing that happened. What it holds is bounded, whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened, or when it was noticed if the system does not tell; milliseconds since
    /// 1970-01-01 UTC.
    pub time_ms: i64,
    /// What happened, in lower case with underscores: `process_started`, `service_stopped`. The
    /// same kind always has the same fields, as far as the system tells them.
    pub kind: Cow<'static, str>,
    /// What it happened to, for people: `nginx (1234)`, `/dev/sdb`.
    pub subject: String,
    /// The particulars, each name once.
    pub fields: Vec<(Cow<'static, str>, EventValue)>,
}

/// A particular of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventValue {
    Text(String),
    Integer(i64),
}

impl Event {
    pub const MAX_KIND_BYTES: usize = 64;
    pub const MAX_SUBJECT_BYTES: usize = 256;
    pub const MAX_FIELDS: usize = 32;
    /// More than these and the list grows.
    const USUAL_FIELDS: usize = 8;
    pub const MAX_TEXT_BYTES: usize = 4096;

    /// An event without particulars. A subject that is too long is cut.
    pub fn new(time_ms: i64, kind: &'static str, subject: &str) -> Self {
        debug_assert!(is_name(kind) && kind.len() <= Self::MAX_KIND_BYTES, "{kind}");
        let subject = cut(subject, Self::MAX_SUBJECT_BYTES).to_owned();
        Self { time_ms, kind: kind.into(), subject, fields: Vec::with_capacity(Self::USUAL_FIELDS) }
    }

    /// Adds a particular; nothing if the value is absent. A text that is too long is cut.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl Into<EventValue>>) -> Self {
        debug_assert!(is_name(name), "{name}");
        debug_assert!(self.get(name).is_none(), "{name} twice");
        let Some(value) = value else { return self };
        if self.fields.len() < Self::MAX_FIELDS {
            let value = match value.into() {
                EventValue::Text(text) => {
                    EventValue::Text(cut(&text, Self::MAX_TEXT_BYTES).to_owned())
                }
                EventValue::Integer(number) => EventValue::Integer(number),
            };
            self.fields.push((name.into(), value));
        }
        self
    }

    pub fn get(&self, name: &str) -> Option<&EventValue> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl From<&str> for EventValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for EventValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for EventValue {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u64> for EventValue {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for EventValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
        }
    }
}

/// Takes events. It returns at once; what it cannot take it drops and counts.
pub trait EventSink: Send + Sync {
    fn happened(&self, event: Event);

    /// So many events, or more, happened and could not be told.
    fn lost(&self, count: u64);

    /// Whether it is worth the effort to find events.
    fn is_listening(&self) -> bool {
        true
    }
}

impl fmt::Debug for dyn EventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventSink")
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn happened(&self, _event: Event) {}

    fn lost(&self, _count: u64) {}

    fn is_listening(&self) -> bool {
        false
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The longest start of whole characters that fits.
pub(crate) fn cut(text: &str, max_bytes: usize) -> &str {
    let fits = (0..=max_bytes.min(text.len())).rev().find_map(|end| text.get(..end));
    fits.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_particulars_are_left_out() {
        let event = Event::new(5, "process_started", "a (1)")
            .with("pid", Some(1_u32))
            .with("user", None::<&str>)
            .with("path", Some("/bin/a"));
        assert_eq!(event.get("pid"), Some(&EventValue::Integer(1)));
        assert_eq!(event.get("user"), None);
        assert_eq!(event.get("path").unwrap().to_string(), "/bin/a");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ä".repeat(5000);
        let event = Event::new(0, "disk_added", &long).with("path", Some(&*format!("x{long}")));
        assert_eq!(event.subject.len(), Event::MAX_SUBJECT_BYTES);
        let Some(EventValue::Text(path)) = event.get("path") else { panic!("{event:?}") };
        assert_eq!(path.len(), Event::MAX_TEXT_BYTES - 1);
    }
}

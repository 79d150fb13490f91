//! The syslog of this system, or a syslog server elsewhere (RFC 5424).

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::log::{Entry, Remote};
use crate::carry::own_log::{LogLine, Own, Which};
use crate::escape;
use crate::failure::Failure;
use crate::reader::Fields;
use crate::text;

const MAX_TEXT: usize = 2000;

#[derive(Debug)]
struct Syslog {
    remote: Option<Remote>,
    facility: u8,
    tls: barograph_fetch::TlsSettings,
}

static FACILITIES: &[(&str, u8)] = &[
    ("user", 1),
    ("daemon", 3),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let remote = fields.placed("address").and_then(|(text, at)| {
        let remote = Remote::parse(&text);
        if remote.is_none() {
            let message = format!("`{text}` is none of udp://, tcp:// or tls://HOST[:PORT]");
            fields.refuse("address", at, message);
        }
        remote
    });
    let facility = fields.one_of("facility", FACILITIES).unwrap_or(3);
    Box::new(Syslog { remote, facility, tls: super::tls(fields) })
}

impl Way for Syslog {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let title = telling.title(escape::line, 500);
        let text = telling.text_with_links(escape::plain, MAX_TEXT);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        let text = format!("{title} | {}", lines.join(" | "));
        let Some(remote) = self.remote.clone() else {
            let line = LogLine {
                event: it.event,
                severity: it.severity,
                facility: self.facility,
                text: text::line(&text),
            };
            return Ok(vec![Parcel::OwnLog(Own { which: Which::Syslog, line })]);
        };
        Ok(vec![Parcel::Log(Entry {
            remote,
            tls: self.tls.clone(),
            facility: self.facility,
            event: it.event,
            severity: it.severity,
            id: it.id.clone(),
            host: it.host.clone(),
            at_ms: it.at_ms,
            text,
        })])
    }
}

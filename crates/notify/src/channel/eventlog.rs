//! The event log of Windows.

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::own_log::{LogLine, Own, Which};
use crate::escape;
use crate::failure::Failure;
use crate::reader::Fields;

/// Windows takes 31,839 UTF-16 units in one text.
const MAX_TEXT: usize = 8000;
const MAX_TITLE: usize = 500;

#[derive(Debug)]
struct EventLog;

pub(super) fn read(_: &mut Fields) -> Box<dyn Way> {
    Box::new(EventLog)
}

impl Way for EventLog {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let title = telling.title(escape::line, MAX_TITLE);
        let text = telling.text_with_links(escape::plain, MAX_TEXT);
        // What a log shows in lines is one event, so lines may stay; a zero would end the text.
        let text = format!("{title}\n\n{text}").replace('\0', " ").replace('\n', "\r\n");
        let line = LogLine { event: it.event, severity: it.severity, facility: 0, text };
        Ok(vec![Parcel::OwnLog(Own { which: Which::EventLog, line })])
    }
}

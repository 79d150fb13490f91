//! From numbers to lines: the whole screen, for a terminal of any size.

mod machine;
mod number;
mod processes;

use barograph_collect::HostFacts;
use barograph_collect::process::ProcessSnapshot;

use super::keys::Wishes;
use super::screen::{Line, Style};
use super::view::View;

/// What there is to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) facts: &'a HostFacts,
    /// Absent before the second reading.
    pub(super) view: Option<&'a View>,
    /// Absent before the first reading, and where the system does not tell.
    pub(super) processes: Option<&'a ProcessSnapshot>,
    pub(super) wishes: &'a Wishes,
}

const KEYS: &str =
    " q quit  c cpu  m memory  i in/out  / filter  space pause  ? help  arrows scroll";

/// Exactly `rows` lines of at most `columns`.
pub(super) fn layout(shown: &Shown<'_>, columns: usize, rows: usize) -> Vec<Line> {
    let mut lines = vec![title(shown, columns)];
    if shown.wishes.shows_help {
        lines.extend(help(columns));
    } else if let Some(view) = shown.view {
        lines.extend(machine::lines(view, columns, rows));
        let left = rows.saturating_sub(lines.len() + 1);
        lines.extend(processes::lines(shown, columns, left));
    } else {
        let mut line = Line::new(columns);
        line.add(Style::Faint, " rates need two readings, a second apart");
        lines.push(line);
    }
    lines.truncate(rows.saturating_sub(1));
    lines.resize_with(rows.saturating_sub(1), || Line::new(columns));
    if rows > 0 {
        lines.push(keys(shown.wishes, columns));
    }
    lines
}

fn title(shown: &Shown<'_>, columns: usize) -> Line {
    let mut line = Line::new(columns);
    line.add(Style::Title, &format!(" {}", shown.facts.host));
    if let Some(name) = &shown.facts.os_name {
        line.add(Style::Faint, &format!("  {name}"));
    }
    if let Some(view) = shown.view {
        if let Some(seconds) = view.uptime_seconds {
            line.add(Style::Faint, "  up ").add(Style::Plain, &number::duration(seconds));
        }
        let time = jiff::Timestamp::from_millisecond(view.time_ms).unwrap_or_default();
        line.add(Style::Plain, &format!("  {} UTC", time.strftime("%H:%M:%S")));
    }
    if shown.wishes.is_paused {
        line.add(Style::Warning, "  PAUSED");
    }
    line
}

fn keys(wishes: &Wishes, columns: usize) -> Line {
    let mut line = Line::new(columns);
    if wishes.typing.is_some() {
        line.add(Style::Inverse, &format!(" filter: {}_", wishes.filter));
        line.add(Style::Inverse, "   enter keeps it, esc takes it back");
    } else {
        line.add(Style::Inverse, KEYS);
    }
    line.fill(Style::Inverse);
    line
}

fn help(columns: usize) -> Vec<Line> {
    const TEXT: [&str; 18] = [
        "",
        " Bars:   | programs  # kernel  ~ waiting for a disk or the hypervisor  . idle",
        " memory:  | in use   ~ cache that can be dropped   . free",
        " Sizes are in powers of 1024: K, M, G, T; rates are per second.",
        " wait: share of the time in which somebody waited for processor, memory, disk.",
        " CPU% is a share of one processor: above 100 with several threads.",
        " READ and WRITE are bytes per second of files, pipes and sockets, cached or not.",
        " S: R runs  S sleeps  D waits for a disk  T stopped  Z ended  I kernel, idle",
        "",
        " c m i      sort by processor, memory, in- and output",
        " /          only processes whose name, command, user or number holds a text",
        " space      pause and go on",
        " arrows, page up, page down, home      scroll",
        " q, esc, Ctrl-C      quit",
        "",
        " For scripts: barograph counters read, barograph record",
        "",
        " Any key closes this page.",
    ];
    let line = |text: &&str| {
        let mut line = Line::new(columns);
        line.add(Style::Plain, text);
        line
    };
    TEXT.iter().map(line).collect()
}

#[cfg(test)]
mod tests;

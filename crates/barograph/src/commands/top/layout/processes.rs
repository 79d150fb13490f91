//! The lower part: the processes that use most.

use barograph_collect::process::{Process, ProcessSort, ProcessState};

use super::super::screen::{Line, Style};
use super::Shown;
use super::number::bytes;

/// What the columns before the command take.
const HEADINGS: [(&str, usize, Option<ProcessSort>); 8] = [
    ("PID", 7, None),
    ("USER", 9, None),
    ("CPU%", 6, Some(ProcessSort::Cpu)),
    ("MEM", 6, Some(ProcessSort::Memory)),
    ("THR", 4, None),
    ("READ", 6, Some(ProcessSort::Io)),
    ("WRITE", 6, Some(ProcessSort::Io)),
    ("S", 1, None),
];
const USER: usize = 1;

/// At most `rows` lines, the heading among them.
pub(super) fn lines(shown: &Shown<'_>, columns: usize, rows: usize) -> Vec<Line> {
    let Some(snapshot) = shown.processes else { return Vec::new() };
    let wishes = shown.wishes;
    let mut chosen: Vec<&Process> =
        snapshot.processes.iter().filter(|process| holds(process, &wishes.filter)).collect();
    chosen.sort_by(|a, b| wishes.sort.compare(a, b));
    let count = rows.saturating_sub(1);
    let first = wishes.first.min(chosen.len().saturating_sub(count));
    let mut lines = vec![heading(shown, columns, chosen.len())];
    lines.extend(chosen.iter().skip(first).take(count).map(|process| row(process, columns)));
    lines.truncate(rows);
    lines
}

fn holds(process: &Process, filter: &str) -> bool {
    let wanted = filter.to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&wanted);
    let facts = &process.facts;
    wanted.is_empty()
        || holds(&facts.name)
        || facts.command_line.as_deref().is_some_and(holds)
        || facts.user.as_deref().is_some_and(holds)
        || process.id.pid.to_string() == wanted
}

fn heading(shown: &Shown<'_>, columns: usize, count: usize) -> Line {
    let mut line = Line::new(columns);
    for (i, (name, width, sort)) in HEADINGS.iter().enumerate() {
        let is_chosen = *sort == Some(shown.wishes.sort);
        let style = if is_chosen { Style::Chosen } else { Style::Inverse };
        // Marked by a sign as well: colours may be off.
        let name = if is_chosen { format!("{name}*") } else { (*name).to_owned() };
        if i == USER {
            line.cell(style, &name, *width);
        } else {
            line.right(style, &name, *width);
        }
        line.add(Style::Inverse, " ");
    }
    line.add(Style::Inverse, "COMMAND");
    if !shown.wishes.filter.is_empty() {
        line.add(Style::Inverse, &format!("  {count} with `{}`", shown.wishes.filter));
    }
    line.fill(Style::Inverse);
    line
}

fn row(process: &Process, columns: usize) -> Line {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), bytes);
    let cpu = process.cpu_percent().map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
    let facts = &process.facts;
    let cells = [
        process.id.pid.to_string(),
        facts.user.clone().unwrap_or_else(|| "-".to_owned()),
        cpu,
        bytes(process.working_set_bytes as f64),
        process.threads.to_string(),
        number(process.read_bytes_per_second),
        number(process.written_bytes_per_second),
        state(process.state).to_owned(),
    ];
    let mut line = Line::new(columns);
    for (i, (cell, (_, width, _))) in cells.iter().zip(HEADINGS).enumerate() {
        let style = if i < 2 { Style::Faint } else { Style::Plain };
        if i == USER {
            line.cell(style, cell, width);
        } else {
            line.right(style, cell, width);
        }
        line.add(Style::Plain, " ");
    }
    let command = facts.command_line.as_deref().filter(|line| !line.trim().is_empty());
    match command {
        Some(command) => line.add(Style::Plain, command),
        // As ps does: no program's file, but a part of the kernel, or nothing was told.
        None => line.add(Style::Faint, &format!("[{}]", facts.name)),
    };
    line
}

fn state(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running => "R",
        ProcessState::Sleeping => "S",
        ProcessState::Waiting => "D",
        ProcessState::Stopped => "T",
        ProcessState::Zombie => "Z",
        ProcessState::Idle => "I",
        ProcessState::Unknown => "?",
    }
}

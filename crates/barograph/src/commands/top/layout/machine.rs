//! The upper part: processors, memory, load, disks, adapters.

use super::super::screen::{Line, Style};
use super::super::view::{Shares, View};
use super::number::bytes;

const LABEL: usize = 6;
/// What stands before and behind a wide bar.
const TEXT: usize = 45;

pub(super) fn lines(view: &View, columns: usize, rows: usize) -> Vec<Line> {
    let is_tall = rows >= 36;
    let mut lines = Vec::new();
    lines.extend(view.cpu.map(|cpu| processors(&cpu, columns)));
    lines.extend(cores(&view.cores, columns, if is_tall { 8 } else { 4 }));
    lines.extend(memory(view, columns));
    lines.extend(load(view, columns));
    let at_most = if is_tall { 4 } else { 2 };
    for (i, disk) in view.disks.iter().take(at_most).enumerate() {
        let mut line = labelled(if i == 0 { "disk" } else { "" }, columns);
        line.cell(Style::Plain, &disk.name, 14);
        rate(&mut line, "read", disk.read);
        rate(&mut line, "write", disk.written);
        if let Some(busy) = disk.busy_percent {
            line.add(Style::Faint, "  busy ").right(Style::Plain, &format!("{busy:.0}%"), 4);
        }
        if let (0, Some(full)) = (i, view.system_drive_percent) {
            line.add(Style::Faint, "  system ");
            let style = if full >= 90.0 { Style::Warning } else { Style::Plain };
            line.add(style, &format!("{full:.0}% full"));
        }
        lines.push(line);
    }
    for (i, adapter) in view.adapters.iter().take(at_most).enumerate() {
        let mut line = labelled(if i == 0 { "net" } else { "" }, columns);
        line.cell(Style::Plain, &adapter.name, 14);
        rate(&mut line, "in  ", adapter.received);
        rate(&mut line, "out  ", adapter.sent);
        lines.push(line);
    }
    lines
}

fn labelled(name: &str, columns: usize) -> Line {
    let mut line = Line::new(columns);
    line.add(Style::Plain, " ").cell(Style::Faint, name, LABEL - 1);
    line
}

fn rate(line: &mut Line, name: &str, value: f64) {
    line.add(Style::Faint, &format!("  {name} "));
    line.right(Style::Plain, &format!("{}/s", bytes(value)), 7);
}

fn processors(cpu: &Shares, columns: usize) -> Line {
    let mut line = labelled("cpu", columns);
    let used = cpu.programs + cpu.kernel;
    line.right(Style::Plain, &format!("{used:.0}%"), 4).add(Style::Plain, " ");
    let text = format!(
        " programs {:.0}  kernel {:.0}  waiting {:.0}",
        cpu.programs, cpu.kernel, cpu.waiting
    );
    bar(&mut line, columns.saturating_sub(TEXT + LABEL).min(60), &cpu_parts(cpu));
    line.add(Style::Faint, &text);
    line
}

fn cpu_parts(shares: &Shares) -> [(Style, char, f64); 3] {
    [
        (Style::Programs, '|', shares.programs),
        (Style::Kernel, '#', shares.kernel),
        (Style::Waiting, '~', shares.waiting),
    ]
}

/// A bar of parts in percent: different signs, so that nobody needs the colours.
fn bar(line: &mut Line, width: usize, parts: &[(Style, char, f64)]) {
    line.add(Style::Plain, "[");
    let mut filled = 0;
    let mut sum = 0.0;
    for (style, sign, percent) in parts {
        sum += percent;
        let end = columns_of(sum, width).max(filled);
        line.add(*style, &sign.to_string().repeat(end - filled));
        filled = end;
    }
    line.add(Style::Faint, &".".repeat(width - filled));
    line.add(Style::Plain, "]");
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the width of a terminal"
)]
fn columns_of(percent: f64, width: usize) -> usize {
    (percent.clamp(0.0, 100.0) / 100.0 * width as f64).round() as usize
}

/// A bar for each, or a sign for each where these do not fit.
fn cores(cores: &[(u32, Shares)], columns: usize, max_rows: usize) -> Vec<Line> {
    const NARROWEST: usize = 19;
    if cores.len() < 2 {
        return Vec::new();
    }
    let room = columns.saturating_sub(LABEL);
    let fit = (room / NARROWEST).max(1);
    // As many in a row as give rows of the same length.
    let n_rows = cores.len().div_ceil(fit);
    if n_rows > max_rows {
        return signs(cores, columns, max_rows);
    }
    let per_row = cores.len().div_ceil(n_rows);
    let width = (room / per_row).min(40);
    let of_row = |row: &[(u32, Shares)]| {
        let mut line = labelled("", columns);
        for (number, shares) in row {
            line.right(Style::Faint, &number.to_string(), 3).add(Style::Plain, " ");
            bar(&mut line, width.saturating_sub(12), &cpu_parts(shares));
            let used = shares.programs + shares.kernel;
            line.right(Style::Plain, &format!("{used:.0}%"), 5).add(Style::Plain, " ");
        }
        line
    };
    cores.chunks(per_row).map(of_row).collect()
}

/// From `.` for idle by tens of percent to `9`.
fn signs(cores: &[(u32, Shares)], columns: usize, max_rows: usize) -> Vec<Line> {
    let per_row = columns.saturating_sub(LABEL + 1).max(1);
    let sign = |(_, shares): &(u32, Shares)| {
        let tens = columns_of(shares.programs + shares.kernel, 9);
        if tens == 0 { ".".to_owned() } else { tens.to_string() }
    };
    let mut lines: Vec<Line> = cores
        .chunks(per_row)
        .map(|row| {
            let mut line = labelled("each", columns);
            line.add(Style::Plain, &row.iter().map(sign).collect::<String>());
            line
        })
        .collect();
    lines.truncate(max_rows);
    lines
}

fn memory(view: &View, columns: usize) -> Option<Line> {
    let (total, available) = (view.memory.total?, view.memory.available?);
    if total <= 0.0 {
        return None;
    }
    let used = 100.0 * (total - available) / total;
    let droppable =
        view.memory.free.map_or(0.0, |free| 100.0 * (available - free).max(0.0) / total);
    let mut line = labelled("mem", columns);
    let style = if used >= 90.0 { Style::Warning } else { Style::Plain };
    line.right(style, &format!("{used:.0}%"), 4).add(Style::Plain, " ");
    let parts = [(Style::Programs, '|', used), (Style::Waiting, '~', droppable)];
    bar(&mut line, columns.saturating_sub(TEXT + LABEL).min(60), &parts);
    line.add(Style::Plain, &format!(" {} of {}", bytes(total - available), bytes(total)));
    if let (Some(size), Some(free)) = (view.memory.swap_total, view.memory.swap_free)
        && size > 0.0
    {
        line.add(Style::Faint, "  swap ");
        line.add(Style::Plain, &format!("{} of {}", bytes(size - free), bytes(size)));
    }
    Some(line)
}

fn load(view: &View, columns: usize) -> Option<Line> {
    let mut line = labelled("load", columns);
    let start = line.columns_left();
    if let Some([one, five, fifteen]) = view.load {
        line.add(Style::Plain, &format!("{one:.2} {five:.2} {fifteen:.2}"));
    }
    let waits = ["cpu", "mem", "disk"].iter().zip(view.pressure);
    for (i, (name, share)) in waits.enumerate() {
        if let Some(share) = share {
            let start = if i == 0 { "  wait:" } else { "" };
            line.add(Style::Faint, &format!("{start} {name} "));
            let style = if share >= 10.0 { Style::Warning } else { Style::Plain };
            line.add(style, &format!("{share:.0}%"));
        }
    }
    if let (Some(processes), Some(threads)) = (view.processes, view.threads) {
        line.add(Style::Faint, &format!("  {processes} processes {threads} threads"));
    }
    (line.columns_left() < start).then_some(line)
}

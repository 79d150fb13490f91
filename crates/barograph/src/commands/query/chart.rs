//! A range as a chart of characters.
//!
//! One series is a line of Braille dots, two by four in each cell. Several series are told apart
//! by their marks, so the chart is read without colours, too; colours are those of Okabe and Ito,
//! which people of every kind of colour vision tell apart.

mod canvas;

use unicode_width::UnicodeWidthStr as _;

use super::answer::{Point, Series, series_name};
use super::scale::{Scale, short};
use crate::output;
use canvas::Canvas;

/// Columns and rows of the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
}

const MARKS: [char; 8] = ['●', '▲', '■', '◆', '○', '△', '□', '◇'];
/// Of the palette of 256 colours, nearest to Okabe's and Ito's.
const COLOURS: [u8; 8] = [32, 208, 36, 175, 74, 166, 220, 250];
const MIN_WIDTH: usize = 40;
const MAX_PLOT_ROWS: usize = 16;
const MIN_PLOT_ROWS: usize = 6;
/// Rows between two numbers of the axis.
const ROWS_PER_STEP: usize = 4;

pub(super) fn chart(series: &[Series], size: Size, has_colours: bool) -> String {
    let mut shown: Vec<&Series> = series.iter().collect();
    if shown.len() > MARKS.len() {
        shown.sort_by(|a, b| peak(b).total_cmp(&peak(a)));
        shown.truncate(MARKS.len());
    }
    let width = size.width.max(MIN_WIDTH);
    // The axis, the times, an empty line, the heading, a line for each series, and the prompt.
    let rows = size.height.saturating_sub(shown.len() + 7).clamp(MIN_PLOT_ROWS, MAX_PLOT_ROWS);
    let values = shown.iter().flat_map(|one| one.values.iter().map(|point| point.value));
    let scale = Scale::holding(values, rows / ROWS_PER_STEP);
    let labels = axis_labels(&scale, rows);
    let label_width = labels.iter().flatten().map(|label| label.width()).max().unwrap_or(0);
    let columns = width - label_width - 3;
    let span = time_span(&shown);
    let mut canvas = Canvas::new(columns, rows);
    for (place, one) in shown.iter().enumerate() {
        if shown.len() == 1 {
            canvas.line(&one.values, span, &scale);
        } else {
            canvas.marks(&one.values, span, &scale, place);
        }
    }
    let mut lines: Vec<String> = labels
        .iter()
        .enumerate()
        .map(|(row, label)| {
            let tick = if label.is_some() { '┤' } else { '│' };
            let label = label.as_deref().unwrap_or_default();
            let paint = |place: usize| colour(place, has_colours);
            format!("{label:>label_width$} {tick}{}", canvas.row(row, &MARKS, paint))
        })
        .collect();
    lines.push(format!("{:label_width$} └{}", "", "─".repeat(columns)));
    lines.push(format!("{:label_width$}  {}", "", times(span, columns)));
    lines.push(String::new());
    lines.push(legend(&shown, width, has_colours));
    if shown.len() < series.len() {
        let more = series.len() - shown.len();
        lines.push(format!("and {more} more series; topk() chooses, --csv and --json have all"));
    }
    lines.join("\n")
}

fn peak(series: &Series) -> f64 {
    let finite = series.values.iter().map(|point| point.value).filter(|value| value.is_finite());
    finite.fold(f64::NEG_INFINITY, f64::max)
}

fn time_span(shown: &[&Series]) -> (i64, i64) {
    let times = || shown.iter().flat_map(|one| one.values.iter().map(|point| point.time_ms));
    let (from_ms, to_ms) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    (from_ms, to_ms.max(from_ms + 1))
}

/// The number beside each row that has one.
fn axis_labels(scale: &Scale, rows: usize) -> Vec<Option<String>> {
    let mut labels = vec![None; rows];
    let steps = ((scale.high - scale.low) / scale.step).round();
    let mut value = scale.low;
    while value <= scale.high + scale.step / 2.0 && steps.is_finite() {
        let from_top = (1.0 - scale.place(value)) * (rows - 1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number of rows"
        )]
        if let Some(label) = labels.get_mut(from_top.round() as usize) {
            *label = Some(scale.label(value));
        }
        value += scale.step;
    }
    labels
}

/// The first, the middle and the last moment under the axis, in UTC.
fn times(span: (i64, i64), columns: usize) -> String {
    const DAY_MS: i64 = 86_400_000;
    let (from_ms, to_ms) = span;
    let form = match to_ms - from_ms {
        range if range <= 10 * 60_000 => "%H:%M:%S",
        range if range <= DAY_MS => "%H:%M",
        range if range <= 7 * DAY_MS => "%m-%d %H:%M",
        _ => "%Y-%m-%d",
    };
    let text = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .map_or_else(|_| ms.to_string(), |time| time.strftime(form).to_string())
    };
    let (first, middle) = (text(from_ms), text(from_ms + (to_ms - from_ms) / 2));
    let last = format!("{} UTC", text(to_ms));
    let free = columns.saturating_sub(first.len() + middle.len() + last.len());
    let left = (columns / 2).saturating_sub(first.len() + middle.len() / 2).min(free);
    format!("{first}{}{middle}{}{last}", " ".repeat(left), " ".repeat(free - left))
}

fn colour(place: usize, has_colours: bool) -> Option<u8> {
    COLOURS.get(place).copied().filter(|_| has_colours)
}

/// A line for each series: its mark, name, and last, least and largest value.
fn legend(shown: &[&Series], width: usize, has_colours: bool) -> String {
    let mut rows = vec![["", "LAST", "MIN", "MAX", "SERIES"].map(str::to_owned).to_vec()];
    for (place, one) in shown.iter().enumerate() {
        let mark = if shown.len() == 1 { '⠒' } else { MARKS[place % MARKS.len()] };
        rows.push(legend_row(mark, one, width));
    }
    let table = output::table(&rows);
    let mut lines = table.lines().map(str::to_owned).collect::<Vec<_>>();
    for (place, line) in lines.iter_mut().skip(1).enumerate() {
        if let Some(colour) = colour(place, has_colours) {
            let rest: String = line.chars().skip(1).collect();
            let mark: String = line.chars().take(1).collect();
            *line = format!("\u{1b}[38;5;{colour}m{mark}\u{1b}[0m{rest}");
        }
    }
    lines.join("\n")
}

fn legend_row(mark: char, series: &Series, width: usize) -> Vec<String> {
    // The numbers before it take less.
    const NUMBERS: usize = 34;
    let finite = || series.values.iter().map(|point| point.value).filter(|value| !value.is_nan());
    let last = series.values.last().map_or(f64::NAN, |point: &Point| point.value);
    let (least, most) = (finite().reduce(f64::min), finite().reduce(f64::max));
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), short);
    let name = output::plain(&series_name(&series.metric));
    let room = width.saturating_sub(NUMBERS).max(12);
    let name = if name.chars().count() > room {
        format!("{}…", name.chars().take(room - 1).collect::<String>())
    } else {
        name
    };
    vec![mark.to_string(), short(last), number(least), number(most), name]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, value: impl Fn(i64) -> f64) -> Series {
        let point = |step: i64| Point { time_ms: step * 15_000, value: value(step) };
        Series {
            metric: [("disk".to_owned(), name.to_owned())].into(),
            values: (0..=240).map(point).collect(),
        }
    }

    const SIZE: Size = Size { width: 80, height: 24 };

    #[test]
    fn a_chart_fits_the_terminal() {
        let many: Vec<Series> =
            (0..20).map(|n| series(&format!("sd{n}"), |step| (step * n) as f64)).collect();
        for (shown, colours) in [(&many[..1], false), (&many[..3], false), (&many[..], false)] {
            let text = chart(shown, SIZE, colours);
            assert!(text.lines().count() <= 24, "{text}");
            assert!(text.lines().all(|line| line.width() <= 80), "{text}");
            assert!(!text.contains('\u{1b}'));
        }
        assert!(chart(&many, SIZE, false).contains("and 12 more series"));
    }

    #[test]
    fn one_series_is_a_line_of_dots() {
        let text = chart(&[series("sda", |step| step as f64)], SIZE, false);
        let rows: Vec<&str> = text.lines().collect();
        // It rises from the lower left to the upper right.
        let dots = |row: &str| row.chars().position(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        let first = rows.iter().position(|row| dots(row).is_some()).unwrap();
        let last = rows.iter().rposition(|row| dots(row).is_some_and(|at| at < 10)).unwrap();
        assert!(first < last, "{text}");
        assert!(dots(rows[first]).unwrap() > 60, "{text}");
        assert!(rows[0].trim_start().starts_with("300"), "{text}");
        assert!(text.contains("00:00") && text.contains("01:00 UTC"), "{text}");
    }

    #[test]
    fn several_series_have_marks_and_a_legend() {
        let text = chart(&[series("sda", |_| 10.0), series("sdb", |_| 20.0)], SIZE, true);
        assert!(text.contains('●') && text.contains('▲'));
        assert!(text.contains("{disk=\"sdb\"}"));
        assert!(text.contains("\u{1b}[38;5;32m●"), "{text}");
    }

    #[test]
    fn odd_values_are_drawn_or_left_out() {
        for value in [f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX, 0.0, 5e-324] {
            let flat = [series("x", |_| value)];
            assert!(chart(&flat, Size { width: 1, height: 1 }, false).contains("disk"));
        }
    }
}

//! Lines of styled text: what is shown, without a terminal.

use unicode_width::UnicodeWidthChar as _;

/// What a piece of text stands for. Colours follow from it, and never say anything that the text
/// does not say as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// Names of things, less important than their values.
    Faint,
    Title,
    /// The part of a bar that programs took.
    Programs,
    /// The part that the kernel took.
    Kernel,
    /// The part that was waited for others.
    Waiting,
    /// A heading of columns, a line of keys.
    Inverse,
    /// The column that is sorted by.
    Chosen,
    Warning,
}

/// Text of one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) style: Style,
    pub(super) text: String,
}

/// One row of the terminal, as wide as it is or narrower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) spans: Vec<Span>,
    left: usize,
}

impl Line {
    /// An empty line with room for so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self { spans: Vec::new(), left: columns }
    }

    /// Appends text and cuts what does not fit. Control characters, which could command the
    /// terminal, become a dot.
    pub(super) fn add(&mut self, style: Style, text: &str) -> &mut Self {
        let mut kept = String::with_capacity(text.len());
        for c in text.chars() {
            let (c, width) = match c.width() {
                Some(width) => (c, width),
                None => ('·', 1),
            };
            if width > self.left {
                self.left = 0;
                break;
            }
            self.left -= width;
            kept.push(c);
        }
        match self.spans.last_mut() {
            Some(last) if last.style == style => last.text.push_str(&kept),
            _ if kept.is_empty() => {}
            _ => self.spans.push(Span { style, text: kept }),
        }
        self
    }

    /// Appends text and blanks up to a width, or the start of the text.
    pub(super) fn cell(&mut self, style: Style, text: &str, width: usize) -> &mut Self {
        let before = self.left;
        let room = width.min(before);
        let mut cell = Self::new(room);
        cell.add(style, text);
        let blanks = cell.left;
        for span in cell.spans {
            self.add(span.style, &span.text);
        }
        self.add(style, &" ".repeat(blanks))
    }

    /// Appends text that ends at a width; longer text is cut at its end.
    pub(super) fn right(&mut self, style: Style, text: &str, width: usize) -> &mut Self {
        let taken: usize = text.chars().map(|c| c.width().unwrap_or(1)).sum();
        self.add(style, &" ".repeat(width.saturating_sub(taken)));
        self.cell(style, text, taken.min(width))
    }

    pub(super) fn columns_left(&self) -> usize {
        self.left
    }

    /// Fills the rest of the line.
    pub(super) fn fill(&mut self, style: Style) -> &mut Self {
        let rest = " ".repeat(self.left);
        self.add(style, &rest)
    }
}

/// A text of lines, as a person reads it from the terminal.
#[cfg(test)]
pub(super) fn as_text(lines: &[Line]) -> String {
    let text = |line: &Line| {
        let text: String = line.spans.iter().map(|span| span.text.as_str()).collect();
        text.trim_end().to_owned() + "\n"
    };
    lines.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(line: &Line) -> String {
        line.spans.iter().map(|span| span.text.as_str()).collect()
    }

    #[test]
    fn text_is_cut_at_the_width_and_never_commands_the_terminal() {
        let mut line = Line::new(6);
        line.add(Style::Plain, "a\x1b[2Jbcdef");
        assert_eq!(text(&line), "a·[2Jb");
        let mut wide = Line::new(3);
        wide.add(Style::Plain, "日本");
        assert_eq!(text(&wide), "日");
    }

    #[test]
    fn cells_are_as_wide_as_they_should_be() {
        let mut line = Line::new(20);
        line.cell(Style::Plain, "ab", 4).right(Style::Faint, "12", 5).cell(Style::Plain, "xyz", 2);
        assert_eq!(text(&line), "ab     12xy");
        assert_eq!(line.columns_left(), 9);
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_its_line(texts: Vec<String>, columns in 0_usize..50) {
            let mut line = Line::new(columns);
            for text in &texts {
                line.cell(Style::Plain, text, 7).right(Style::Faint, text, 9).add(Style::Plain, text);
            }
            let width: usize = text(&line).chars().map(|c| c.width().unwrap()).sum();
            prop_assert!(width <= columns);
        }
    }
}

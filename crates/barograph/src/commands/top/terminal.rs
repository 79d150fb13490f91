//! The terminal: taken over while the screen is shown, and given back whatever happens.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::sync::Arc;
use std::thread;

use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};

use super::screen::{Line, Style};

/// The terminal in our hands. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Terminal {
    out: Stdout,
    has_colours: bool,
    /// What it shows.
    lines: Vec<Line>,
}

type Hook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// It cannot do what is needed.
    pub(super) fn take(has_colours: bool) -> io::Result<Self> {
        restore_on_panic();
        enable_raw_mode()?;
        // From here on dropping it restores the terminal.
        let mut terminal = Self { out: io::stdout(), has_colours, lines: Vec::new() };
        execute!(terminal.out, EnterAlternateScreen, cursor::Hide)?;
        Ok(terminal)
    }

    /// Forgets what is shown: the terminal has another size now.
    pub(super) fn forget(&mut self) {
        self.lines.clear();
    }

    /// Shows lines, from the top; writes only those that changed.
    pub(super) fn show(&mut self, lines: Vec<Line>) -> io::Result<()> {
        queue!(self.out, BeginSynchronizedUpdate)?;
        if self.lines.len() != lines.len() {
            queue!(self.out, Clear(ClearType::All))?;
            self.lines.clear();
        }
        for (row, line) in lines.iter().enumerate() {
            if self.lines.get(row) == Some(line) {
                continue;
            }
            queue!(self.out, cursor::MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX)))?;
            for span in &line.spans {
                style(&mut self.out, span.style, self.has_colours)?;
                queue!(self.out, Print(&span.text), SetAttribute(Attribute::Reset))?;
                if self.has_colours {
                    queue!(self.out, ResetColor)?;
                }
            }
            if line.columns_left() > 0 {
                queue!(self.out, Clear(ClearType::UntilNewLine))?;
            }
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()?;
        self.lines = lines;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// A terminal that is gone needs no restoring.
fn restore() {
    execute!(io::stdout(), LeaveAlternateScreen, cursor::Show).unwrap_or_default();
    disable_raw_mode().unwrap_or_default();
}

/// A panic of this thread is told on a restored terminal. Those of other threads, which are caught
/// and counted, must not write over the screen.
fn restore_on_panic() {
    let ours = thread::current().id();
    let before: Arc<Hook> = panic::take_hook().into();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours {
            restore();
            before(info);
        }
    }));
}

/// Blue, yellow and magenta are told apart by people of every kind of colour vision; what they
/// mean is also in the signs.
fn style(out: &mut Stdout, style: Style, has_colours: bool) -> io::Result<()> {
    let (colour, attribute) = match style {
        Style::Plain => (None, None),
        Style::Faint => (None, Some(Attribute::Dim)),
        Style::Title | Style::Chosen => (None, Some(Attribute::Bold)),
        Style::Programs => (Some(Color::Cyan), None),
        Style::Kernel => (Some(Color::Yellow), None),
        Style::Waiting => (Some(Color::Magenta), None),
        Style::Inverse => (None, Some(Attribute::Reverse)),
        Style::Warning => (Some(Color::Yellow), Some(Attribute::Bold)),
    };
    if let Some(colour) = colour.filter(|_| has_colours) {
        queue!(out, SetForegroundColor(colour))?;
    }
    match attribute {
        Some(attribute) => queue!(out, SetAttribute(attribute)),
        None => Ok(()),
    }
}

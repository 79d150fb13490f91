//! How far a long work is: one line on the terminal that is written over and over.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use barograph_model::{Clock as _, SystemClock};

/// Silent where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    what: &'static str,
    is_shown: bool,
    clock: SystemClock,
    next: Duration,
}

impl ProgressLine {
    const EVERY: Duration = Duration::from_millis(100);
    const WIDTH: u64 = 24;

    /// `what` is being done, such as `copying`.
    pub(crate) fn new(what: &'static str) -> Self {
        let is_shown = io::stderr().is_terminal();
        Self { what, is_shown, clock: SystemClock::new(), next: Duration::ZERO }
    }

    /// `details` say more, such as how many bytes these are.
    pub(crate) fn show(&mut self, done: u64, total: u64, details: impl FnOnce() -> String) {
        let now = self.clock.monotonic();
        if !self.is_shown || now < self.next && done < total {
            return;
        }
        self.next = now + Self::EVERY;
        write(&format!("\r{}\x1b[K", line(self.what, done, total, &details())));
    }

    /// Where the end is not known.
    pub(crate) fn count(&mut self, details: impl FnOnce() -> String) {
        let now = self.clock.monotonic();
        if self.is_shown && now >= self.next {
            self.next = now + Self::EVERY;
            write(&format!("\r{} {}\x1b[K", self.what, details()));
        }
    }

    /// Removes the line.
    pub(crate) fn end(&self) {
        if self.is_shown {
            write("\r\x1b[K");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.end();
    }
}

fn line(what: &str, done: u64, total: u64, details: &str) -> String {
    let share = |of: u64| u128::from(done.min(total)) * u128::from(of) / u128::from(total.max(1));
    let filled = usize::try_from(share(ProgressLine::WIDTH)).unwrap_or_default();
    let bar = "#".repeat(filled);
    let width = usize::try_from(ProgressLine::WIDTH).unwrap_or_default();
    format!("{what} [{bar:<width$}] {:>3} %  {details}", share(100))
}

/// Nobody is left to tell when standard error is gone.
fn write(text: &str) {
    let mut err = io::stderr();
    err.write_all(text.as_bytes()).and_then(|()| err.flush()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_up() {
        assert_eq!(line("copying", 0, 0, "x"), format!("copying [{:24}]   0 %  x", ""));
        assert_eq!(line("c", 1, 2, ""), format!("c [{:24}]  50 %  ", "#".repeat(12)));
        assert_eq!(line("c", u64::MAX, u64::MAX, ""), format!("c [{}] 100 %  ", "#".repeat(24)));
    }
}

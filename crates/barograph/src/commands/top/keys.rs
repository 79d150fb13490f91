//! What the person at the keyboard wants, and how keys change it.

use barograph_collect::process::ProcessSort;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The state of the screen that is not the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) sort: ProcessSort,
    /// Only processes that hold this text.
    pub(super) filter: String,
    /// The filter is being typed; what it was before.
    pub(super) typing: Option<String>,
    pub(super) is_paused: bool,
    pub(super) shows_help: bool,
    /// The first process that is shown.
    pub(super) first: usize,
}

/// What follows from a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Redraw,
    Quit,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            sort: ProcessSort::Cpu,
            filter: String::new(),
            typing: None,
            is_paused: false,
            shows_help: false,
            first: 0,
        }
    }
}

impl Wishes {
    const MAX_FILTER_CHARS: usize = 64;
    const PAGE: usize = 10;

    pub(super) fn key(&mut self, key: KeyEvent) -> Then {
        if key.kind == KeyEventKind::Release {
            return Then::Nothing;
        }
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Then::Quit;
        }
        if self.typing.is_some() { self.typed(key) } else { self.commanded(key) }
    }

    fn typed(&mut self, key: KeyEvent) -> Then {
        self.first = 0;
        match key.code {
            KeyCode::Enter => self.typing = None,
            KeyCode::Esc => self.filter = self.typing.take().unwrap_or_default(),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(c) if self.filter.chars().count() < Self::MAX_FILTER_CHARS => {
                self.filter.push(c);
            }
            _ => return Then::Nothing,
        }
        Then::Redraw
    }

    fn commanded(&mut self, key: KeyEvent) -> Then {
        if self.shows_help {
            self.shows_help = false;
            return if key.code == KeyCode::Char('q') { Then::Quit } else { Then::Redraw };
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Then::Quit,
            KeyCode::Char('c') => self.sort_by(ProcessSort::Cpu),
            KeyCode::Char('m') => self.sort_by(ProcessSort::Memory),
            KeyCode::Char('i') => self.sort_by(ProcessSort::Io),
            KeyCode::Char('/') => self.typing = Some(self.filter.clone()),
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('?' | 'h') => self.shows_help = true,
            KeyCode::Up => self.first = self.first.saturating_sub(1),
            KeyCode::Down => self.first += 1,
            KeyCode::PageUp => self.first = self.first.saturating_sub(Self::PAGE),
            KeyCode::PageDown => self.first += Self::PAGE,
            KeyCode::Home => self.first = 0,
            _ => return Then::Nothing,
        }
        Then::Redraw
    }

    fn sort_by(&mut self, sort: ProcessSort) {
        self.sort = sort;
        self.first = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(wishes: &mut Wishes, code: KeyCode) -> Then {
        wishes.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_sort_pause_help_and_quit() {
        let mut wishes = Wishes::default();
        assert_eq!(press(&mut wishes, KeyCode::Char('m')), Then::Redraw);
        assert_eq!(wishes.sort, ProcessSort::Memory);
        press(&mut wishes, KeyCode::Char(' '));
        assert!(wishes.is_paused);
        press(&mut wishes, KeyCode::Char('?'));
        assert!(wishes.shows_help);
        // Any key closes the help, also the one that would end the program.
        assert_eq!(press(&mut wishes, KeyCode::Esc), Then::Redraw);
        assert!(!wishes.shows_help);
        assert_eq!(press(&mut wishes, KeyCode::Char('z')), Then::Nothing);
        assert_eq!(press(&mut wishes, KeyCode::Esc), Then::Quit);
        let mut control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(wishes.key(control_c), Then::Quit);
        control_c.kind = KeyEventKind::Release;
        assert_eq!(wishes.key(control_c), Then::Nothing);
    }

    #[test]
    fn a_filter_is_typed_kept_or_given_up() {
        let mut wishes = Wishes::default();
        for code in [KeyCode::Char('/'), KeyCode::Char('q'), KeyCode::Char('m')] {
            assert_eq!(press(&mut wishes, code), Then::Redraw);
        }
        press(&mut wishes, KeyCode::Backspace);
        assert_eq!(wishes.filter, "q");
        press(&mut wishes, KeyCode::Enter);
        assert_eq!((wishes.filter.as_str(), &wishes.typing), ("q", &None));
        press(&mut wishes, KeyCode::Char('/'));
        press(&mut wishes, KeyCode::Char('x'));
        press(&mut wishes, KeyCode::Esc);
        assert_eq!(wishes.filter, "q");
        for _ in 0..100 {
            press(&mut wishes, KeyCode::Char('/'));
        }
        assert!(wishes.filter.chars().count() <= Wishes::MAX_FILTER_CHARS);
    }
}

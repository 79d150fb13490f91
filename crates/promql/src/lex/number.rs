//! Where a number or duration ends.

use super::Kind;

/// Up to where a number was read, and whether it is one.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) end: usize,
    pub(super) kind: Option<Kind>,
}

/// Reads a number (decimal, hexadecimal, octal, with `_` between digits, with an exponent) or a
/// duration. Whether the digits are a number is for the parser.
pub(super) fn scan(text: &[u8], start: usize) -> Scanned {
    let mut scanner = Scanner { text, at: start };
    if scanner.number() {
        return Scanned { end: scanner.at, kind: Some(Kind::Number) };
    }
    // A duration begins where the digits end.
    if scanner.duration() {
        return Scanned { end: scanner.at, kind: Some(Kind::Duration) };
    }
    Scanned { end: scanner.at, kind: None }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn number(&mut self) -> bool {
        let is_hex = self.accept(b"0") && self.accept(b"xX");
        if is_hex {
            self.accept(b"_");
        }
        let is_digit = |c: u8| if is_hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        let (mut dots, mut exponents) = (0, 0);
        while let Some(next) = self.peek() {
            if is_digit(next) {
                self.at += 1;
            } else if next == b'.' {
                dots += 1;
                self.at += 1;
                if dots > 1 || is_hex || self.accept(b"_.") {
                    return false;
                }
            } else if next == b'e' || next == b'E' {
                exponents += 1;
                self.at += 1;
                self.accept(b"+-");
                if exponents > 1 || self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else if next == b'_' {
                self.at += 1;
                if self.accept(b"._eE") || self.peek().is_none() {
                    return false;
                }
            } else {
                break;
            }
        }
        !self.peek().is_some_and(is_word)
    }

    fn duration(&mut self) -> bool {
        if !self.accept(b"smhdwy") {
            return false;
        }
        self.accept(b"s");
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                self.at += 1;
            }
            if !self.accept(b"smhdw") {
                return false;
            }
            self.accept(b"s");
        }
        // What spoils a duration that was whole is shown with it.
        let spoiled = self.peek().is_some_and(is_word);
        self.at += usize::from(spoiled);
        !spoiled
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, wanted: &[u8]) -> bool {
        let found = self.peek().is_some_and(|next| wanted.contains(&next));
        self.at += usize::from(found);
        found
    }
}

fn is_word(c: u8) -> bool {
    c == b'_' || c.is_ascii_alphanumeric()
}

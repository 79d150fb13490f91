//! Walks through one line.

use std::borrow::Cow;

use super::Problem;

/// A problem and the byte of the line that it is at, from 1.
pub(super) type At<T> = Result<T, (usize, Problem)>;

/// A place in a line. Places are always at the border of a character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const COLON: u8 = 4;

/// What each byte may be part of: names are the hottest loop of the parser.
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => LETTER,
            b'0'..=b'9' => DIGIT,
            b':' => COLON,
            _ => 0,
        };
        byte += 1;
    }
    table
};

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// The line from a place before this one.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.line.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn expected<T>(&self, what: &'static str) -> At<T> {
        Err((self.at + 1, Problem::expected(what, self.rest())))
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes past an ASCII byte if it is there.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn require(&mut self, byte: u8, what: &'static str) -> At<()> {
        if self.take(byte) { Ok(()) } else { self.expected(what) }
    }

    /// Goes past a word if it is there.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, empty if there is none.
    pub(super) fn metric_name(&mut self) -> &'a str {
        self.name(LETTER | COLON, LETTER | COLON | DIGIT)
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, empty if there is none.
    pub(super) fn label_name(&mut self) -> &'a str {
        self.name(LETTER, LETTER | DIGIT)
    }

    fn name(&mut self, first: u8, then: u8) -> &'a str {
        let start = self.at;
        let is = |byte: Option<u8>, class: u8| {
            byte.is_some_and(|byte| CLASS[usize::from(byte)] & class != 0)
        };
        if is(self.peek(), first) {
            self.at += 1;
            while is(self.peek(), then) {
                self.at += 1;
            }
        }
        self.since(start)
    }

    /// Everything up to the next blank, or a space only where the format is strict.
    pub(super) fn word(&mut self) -> &'a str {
        let start = self.at;
        while !matches!(self.peek(), None | Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.since(start)
    }

    /// A text in quotes, its escapes resolved.
    pub(super) fn quoted(&mut self, what: &'static str) -> At<Cow<'a, str>> {
        self.require(b'"', what)?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match memchr::memchr2(b'"', b'\\', self.rest().as_bytes()) {
                None => {
                    self.at = self.line.len();
                    return self.expected("the closing quote");
                }
                Some(offset) => self.at += offset,
            }
            if self.take(b'"') {
                break;
            }
            escaped = true;
            // The backslash and the character after it, whatever its length.
            self.at += 1 + self.rest().chars().nth(1).map_or(0, char::len_utf8);
        }
        let text = self.line.get(start..self.at - 1).unwrap_or_default();
        Ok(if escaped { Cow::Owned(unescape(text, true)) } else { Cow::Borrowed(text) })
    }
}

/// Resolves `\\`, `\n` and, where it is one, `\"`. Any other backslash stands for itself.
pub(super) fn unescape(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('\\') | None => out.push('\\'),
            Some('"') if quotes => out.push('"'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

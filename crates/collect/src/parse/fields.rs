//! Lines, words and numbers.

use super::ParseError;

/// The lines of a text, numbered from 1, without empty ones.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split(|b| *b == b'\n')
        .enumerate()
        .filter(|(_, text)| !text.trim_ascii().is_empty())
        .map(|(i, text)| Line { number: i + 1, text })
}

/// A line and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    pub(super) fn words(self) -> Words<'a> {
        Words { line: self, rest: self.text }
    }

    pub(super) fn error(self, expected: &'static str) -> ParseError {
        ParseError::new(self.number, expected, self.text)
    }
}

/// What is left of a line, word by word.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    line: Line<'a>,
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// The words of a part of a line; errors show the whole of it.
    pub(super) fn of_part(line: Line<'a>, part: &'a [u8]) -> Self {
        Self { line, rest: part }
    }

    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|b| !b.is_ascii_whitespace())?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Some(word)
    }

    /// The next word, which has to be there.
    pub(super) fn word(&mut self, expected: &'static str) -> Result<&'a [u8], ParseError> {
        self.next().ok_or_else(|| self.line.error(expected))
    }

    /// The next word as a whole number.
    pub(super) fn number(&mut self, expected: &'static str) -> Result<u64, ParseError> {
        let word = self.word(expected)?;
        number(word).ok_or_else(|| self.line.error(expected))
    }

    /// The next word as a whole number, or nothing at the end of the line.
    pub(super) fn optional_number(
        &mut self,
        expected: &'static str,
    ) -> Result<Option<u64>, ParseError> {
        match self.next() {
            None => Ok(None),
            Some(word) => number(word).map(Some).ok_or_else(|| self.line.error(expected)),
        }
    }
}

/// A whole number in decimal digits and nothing else.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |sum, b| {
        let digit = b.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A number with decimals, such as `0.74`; not below zero, and finite.
pub(super) fn decimal(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// Appends a word in which the kernel has written blanks and backslashes as three octal digits
/// (`\040`). What is no UTF-8 then becomes U+FFFD.
pub(super) fn unescape_into(out: &mut String, word: &[u8]) {
    if !word.contains(&b'\\') {
        push_lossy(out, word);
        return;
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'\\'
            && let Some(byte) = octal(after)
        {
            bytes.push(byte);
            rest = &after[3..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    push_lossy(out, &bytes);
}

fn octal(digits: &[u8]) -> Option<u8> {
    let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = digits else { return None };
    Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
}

/// Sets a text that is reused.
pub(super) fn set_lossy(out: &mut String, bytes: &[u8]) {
    out.clear();
    push_lossy(out, bytes);
}

fn push_lossy(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

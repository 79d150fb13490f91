//! Text and actions, and the words within actions.
#![expect(clippy::string_slice, reason = "texts are cut where a character was found")]

use super::TemplateError;

/// A word within `{{ … }}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// `if`, `range`, `humanize`: a keyword or a function.
    Name(String),
    /// `$labels`; `$` alone has the empty name.
    Variable(String),
    /// `.Value`
    Field(String),
    Dot,
    Text(String),
    Integer(i64),
    Float(f64),
    Pipe,
    LeftParen,
    RightParen,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Comma,
}

/// A word and whether a blank stood before it: `.a.b` is one operand, `.a .b` are two.
pub(super) type Placed = (Word, bool);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action { line: usize, words: Vec<Placed> },
}

/// Cuts a template into texts and actions. Comments are left out, and blanks where an action has
/// `{{-` or `-}}`.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut trim_start = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let (after, trims_before) = match after.strip_prefix('-') {
            Some(trimmed) if trimmed.starts_with(char::is_whitespace) => (trimmed, true),
            _ => (after, false),
        };
        push_text(&mut pieces, before, trim_start, trims_before);
        line += lines_in(before);
        let started = line;
        let (action, remaining, trims_after) = action(after, started)?;
        line += lines_in(action);
        trim_start = trims_after;
        if !action.trim_start().starts_with("/*") {
            pieces.push(Piece::Action { line: started, words: words(action, started)? });
        }
        rest = remaining;
    }
    push_text(&mut pieces, rest, trim_start, false);
    Ok(pieces)
}

fn lines_in(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Splits at the end of the action, which quotes and comments hide: the action, what follows, and
/// whether blanks after it are dropped.
fn action(text: &str, line: usize) -> Result<(&str, &str, bool), TemplateError> {
    let unclosed = || TemplateError::new(line, "unclosed action");
    if text.trim_start().starts_with("/*") {
        let (comment, after) =
            text.split_once("*/").ok_or_else(|| TemplateError::new(line, "unclosed comment"))?;
        let (between, rest) = after.split_once("}}").ok_or_else(unclosed)?;
        return match between.trim() {
            "" => Ok((comment, rest, false)),
            "-" => Ok((comment, rest, true)),
            _ => Err(TemplateError::new(line, "comment ends before closing delimiter")),
        };
    }
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            _ if is_escaped => is_escaped = false,
            Some('"') if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[at..].starts_with("}}") => {
                let (inner, rest) = (&text[..at], &text[at + 2..]);
                let trimmed =
                    inner.strip_suffix('-').filter(|it| it.ends_with(char::is_whitespace));
                return Ok((trimmed.unwrap_or(inner), rest, trimmed.is_some()));
            }
            Some(_) | None => {}
        }
    }
    Err(if quote.is_some() {
        TemplateError::new(line, "unterminated quoted string")
    } else {
        unclosed()
    })
}

fn words(text: &str, line: usize) -> Result<Vec<Placed>, TemplateError> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start();
        let is_apart = trimmed.len() < rest.len();
        let Some(first) = trimmed.chars().next() else { return Ok(words) };
        let (word, after) = word(first, trimmed, line)?;
        words.push((word, is_apart));
        rest = after;
    }
}

fn word(first: char, text: &str, line: usize) -> Result<(Word, &str), TemplateError> {
    let name =
        |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let one = |word| Ok((word, &text[first.len_utf8()..]));
    match first {
        '|' => one(Word::Pipe),
        '(' => one(Word::LeftParen),
        ')' => one(Word::RightParen),
        ',' => one(Word::Comma),
        '=' => one(Word::Assign),
        ':' if text.starts_with(":=") => Ok((Word::Declare, &text[2..])),
        '$' => {
            let end = 1 + name(&text[1..]);
            Ok((Word::Variable(text[1..end].to_owned()), &text[end..]))
        }
        '.' if !text[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            let end = 1 + name(&text[1..]);
            let word = if end == 1 { Word::Dot } else { Word::Field(text[1..end].to_owned()) };
            Ok((word, &text[end..]))
        }
        '"' | '`' => quoted(first, text, line),
        '\'' => character(text, line),
        c if c.is_ascii_digit() || matches!(c, '.' | '-' | '+') => number(text, line),
        c if c.is_alphabetic() || c == '_' => {
            let end = name(text);
            Ok((Word::Name(text[..end].to_owned()), &text[end..]))
        }
        c => Err(TemplateError::new(line, format!("unexpected {c:?} in an action"))),
    }
}

fn quoted(quote: char, text: &str, line: usize) -> Result<(Word, &str), TemplateError> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((Word::Text(out), &text[at + 1..])),
            '\\' if quote == '"' => {
                let escaped = chars.next().map(|(_, c)| c);
                out.push(match escaped {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some(c @ ('"' | '\\' | '\'')) => c,
                    other => {
                        let c = other.map_or(String::new(), String::from);
                        let problem = format!("unknown escape `\\{c}` in a quoted string");
                        return Err(TemplateError::new(line, problem));
                    }
                });
            }
            c => out.push(c),
        }
    }
    Err(TemplateError::new(line, "unterminated quoted string"))
}

/// A character is its number, as in Go.
fn character(text: &str, line: usize) -> Result<(Word, &str), TemplateError> {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some(c), Some('\'')) if c != '\\' && c != '\'' => {
            Ok((Word::Integer(i64::from(u32::from(c))), &text[2 + c.len_utf8()..]))
        }
        _ => Err(TemplateError::new(line, "malformed character constant")),
    }
}

fn number(text: &str, line: usize) -> Result<(Word, &str), TemplateError> {
    let mut end = 1;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(end) {
        let after_exponent = matches!(bytes[end - 1], b'e' | b'E') && !text.starts_with("0x");
        match byte {
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') => end += 1,
            b'+' | b'-' if after_exponent => end += 1,
            _ => break,
        }
    }
    let (number, rest) = text.split_at(end);
    let plain = number.replace('_', "");
    let word = if let Some(digits) = plain.strip_prefix("0x") {
        i64::from_str_radix(digits, 16).ok().map(Word::Integer)
    } else if let Ok(integer) = plain.parse() {
        Some(Word::Integer(integer))
    } else if plain.contains(|c: char| c.is_ascii_digit()) {
        plain.parse().ok().map(Word::Float)
    } else {
        None
    };
    match word {
        Some(word) => Ok((word, rest)),
        None => Err(TemplateError::new(line, format!("bad number syntax: {number:?}"))),
    }
}

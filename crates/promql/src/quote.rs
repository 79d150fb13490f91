//! Strings as Go writes and reads them: that is the language's way, and that of its errors.

use std::fmt::Write;
use std::str::Chars;

/// A text between double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        push_escaped(&mut out, c, '"');
    }
    out.push('"');
    out
}

/// Bytes between double quotes; those that are no UTF-8 as `\xc5`.
pub(crate) fn quoted_bytes(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, '"');
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            write!(out, "\\x{byte:02x}").unwrap_or_default();
        }
    }
    out.push('"');
    out
}

/// A character between single quotes.
pub(crate) fn quoted_char(c: char) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'');
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, c: char, quote: char) {
    let written = match c {
        '\\' => out.write_str("\\\\"),
        _ if c == quote => write!(out, "\\{quote}"),
        '\u{7}' => out.write_str("\\a"),
        '\u{8}' => out.write_str("\\b"),
        '\u{c}' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{b}' => out.write_str("\\v"),
        _ if !c.is_control() => out.write_char(c),
        '\0'..='\u{7f}' => write!(out, "\\x{:02x}", u32::from(c)),
        '\u{80}'..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(c)),
        _ => write!(out, "\\U{:08x}", u32::from(c)),
    };
    // Writing to a string cannot fail.
    written.unwrap_or_default();
}

/// The bytes that a quoted word stands for; the reason if its escapes are wrong.
pub(crate) fn unquote(word: &str) -> Result<Vec<u8>, String> {
    let mut inner = word.chars();
    let (Some(quote), Some(last)) = (inner.next(), inner.next_back()) else {
        return Err("invalid syntax".to_owned());
    };
    if quote != last {
        return Err("invalid syntax".to_owned());
    }
    let inner = inner.as_str();
    if quote == '`' {
        return Ok(inner.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c == '\\' {
            unescape(&mut rest, quote, &mut out)?;
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(out)
}

/// Reads what stands behind a backslash.
pub(crate) fn unescape(rest: &mut Chars<'_>, quote: char, out: &mut Vec<u8>) -> Result<(), String> {
    const INVALID: &str = "escape sequence is an invalid Unicode code point";
    let byte = match rest.next().ok_or(NOT_TERMINATED)? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        c if c == quote => {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        'x' => u8::try_from(digits(rest, 2, 16, 0)?).map_err(|_| INVALID)?,
        c @ '0'..='7' => {
            let first = c.to_digit(8).unwrap_or_default();
            u8::try_from(digits(rest, 2, 8, first)?).map_err(|_| INVALID)?
        }
        c @ ('u' | 'U') => {
            let code = digits(rest, if c == 'u' { 4 } else { 8 }, 16, 0)?;
            let c = char::from_u32(code).ok_or(INVALID)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        c => return Err(format!("unknown escape sequence {}", coded(c))),
    };
    out.push(byte);
    Ok(())
}

const NOT_TERMINATED: &str = "escape sequence not terminated";

/// Up to eight digits, which fit.
fn digits(rest: &mut Chars<'_>, count: usize, base: u32, first: u32) -> Result<u32, String> {
    let mut value = first;
    for _ in 0..count {
        let c = rest.next().ok_or(NOT_TERMINATED)?;
        let digit = c
            .to_digit(base)
            .ok_or_else(|| format!("illegal character {} in escape sequence", coded(c)))?;
        value = value.wrapping_mul(base).wrapping_add(digit);
    }
    Ok(value)
}

/// A character with its number, as Go's `%#U` writes it: `U+0071 'q'`.
fn coded(c: char) -> String {
    let number = u32::from(c);
    if c.is_control() { format!("U+{number:04X}") } else { format!("U+{number:04X} '{c}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_written_and_read() {
        for text in ["", "plain", "tab\tand \"quotes\" and \\", "µ and 日本", "\u{1}\u{7f}"] {
            assert_eq!(unquote(&quoted(text)).unwrap(), text.as_bytes(), "{text}");
        }
        assert_eq!(unquote(r#""\x41\101\u00b5\U0001F600""#).unwrap(), "AAµ😀".as_bytes());
        assert_eq!(unquote("`a\\nb`").unwrap(), b"a\\nb");
        assert_eq!(unquote(r"'it\'s'").unwrap(), b"it's");
        assert_eq!(quoted_bytes(b"a\xc5z"), r#""a\xc5z""#);
    }

    #[test]
    fn wrong_escapes_are_refused() {
        for word in [r#""\q""#, r#""\x4""#, r#""\ud800""#, r#""\777""#, r#""\UFFFFFFFF""#, "\""] {
            assert!(unquote(word).is_err(), "{word}");
        }
        assert_eq!(unquote("\"\\\u{1}\"").unwrap_err(), "unknown escape sequence U+0001");
    }
}

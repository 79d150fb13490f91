//! Strings as Go writes and reads them: that is the language's way, and that of its errors.

use std::fmt::Write;

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
pub(crate) fn unquote(word: &str) -> Result<Vec<u8>, &'static str> {
    let mut inner = word.chars();
    let (Some(quote), Some(last)) = (inner.next(), inner.next_back()) else {
        return Err("invalid syntax");
    };
    if quote != last {
        return Err("invalid syntax");
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

fn unescape(
    rest: &mut std::str::Chars<'_>,
    quote: char,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let byte = match rest.next().ok_or("escape sequence not terminated")? {
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
        'x' => u8::try_from(digits(rest, 2, 16, 0)?).map_err(|_| OUT_OF_RANGE)?,
        c @ '0'..='7' => {
            let first = c.to_digit(8).unwrap_or_default();
            u8::try_from(digits(rest, 2, 8, first)?).map_err(|_| OUT_OF_RANGE)?
        }
        c @ ('u' | 'U') => {
            let code = digits(rest, if c == 'u' { 4 } else { 8 }, 16, 0)?;
            let c =
                char::from_u32(code).ok_or("escape sequence is an invalid Unicode code point")?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        _ => return Err("unknown escape sequence"),
    };
    out.push(byte);
    Ok(())
}

const OUT_OF_RANGE: &str = "escape sequence is out of range";

fn digits(
    rest: &mut std::str::Chars<'_>,
    count: usize,
    base: u32,
    first: u32,
) -> Result<u32, &'static str> {
    let mut value = first;
    for _ in 0..count {
        let c = rest.next().ok_or("escape sequence not terminated")?;
        let digit = c.to_digit(base).ok_or("illegal character in escape sequence")?;
        value = value.checked_mul(base).and_then(|v| v.checked_add(digit)).ok_or(OUT_OF_RANGE)?;
    }
    Ok(value)
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
    }
}

//! Messages of the D-Bus protocol, as far as asking for values takes.
//!
//! A message is a header, whose fields are themselves D-Bus values, and a body, whose types are
//! told by a signature in the header. Everything is aligned to its size, counted from the start
//! of the message.

use std::fmt;

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the message: expected {expected}")]
pub struct DbusError {
    pub offset: usize,
    pub expected: &'static str,
}

/// A value. What nobody asks for (file descriptors, signatures) is kept as its number or text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Struct(Vec<Value>),
    Variant(Box<Value>),
}

impl Value {
    /// The value inside variants.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Variant(inner) => inner.plain(),
            other => other,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self.plain() {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn unsigned(&self) -> Option<u64> {
        match self.plain() {
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self.plain() {
            Self::Bool(yes) => Some(*yes),
            _ => None,
        }
    }

    pub fn bytes(&self) -> Option<&[u8]> {
        match self.plain() {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub fn signed(&self) -> Option<i64> {
        match self.plain() {
            Self::Signed(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array or a structure; none of anything else.
    pub fn parts(&self) -> &[Self] {
        match self.plain() {
            Self::Array(parts) | Self::Struct(parts) => parts,
            _ => &[],
        }
    }
}

/// What is said when a method is called.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who answers, on a bus. Straight to the one who answers it must be left out: systemd does
    /// not answer what is addressed.
    pub destination: Option<&'a str>,
    pub path: &'a str,
    pub interface: &'a str,
    pub member: &'a str,
    pub arguments: &'a [Argument<'a>],
}

/// The kinds of arguments that are needed.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    Text(&'a str),
    Texts(&'a [&'a str]),
}

/// A message that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The number of the call that it answers; nothing for a signal.
    pub answers: Option<u32>,
    /// The name of an error.
    pub error: Option<String>,
    pub body: Vec<Value>,
}

/// The bytes at a message's start from which its length is known.
pub const START_BYTES: usize = 16;
/// Larger messages are refused: a list of ten thousand units has three megabytes.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

const METHOD_CALL: u8 = 1;
const FIELD_PATH: u8 = 1;
const FIELD_INTERFACE: u8 = 2;
const FIELD_MEMBER: u8 = 3;
const FIELD_ERROR: u64 = 4;
const FIELD_ANSWERS: u64 = 5;
const FIELD_DESTINATION: u8 = 6;
const FIELD_SIGNATURE: u64 = 8;

impl Call<'_> {
    /// The message with this number, which must not be 0.
    pub fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Writer::default();
        let mut signature = String::new();
        for argument in self.arguments {
            match argument {
                Argument::Text(text) => {
                    signature.push('s');
                    body.text(text);
                }
                Argument::Texts(texts) => {
                    signature.push_str("as");
                    body.array(4, |body| texts.iter().for_each(|text| body.text(text)));
                }
            }
        }
        let mut out = Writer::default();
        out.0.extend([b'l', METHOD_CALL, 0, 1]);
        out.number(u32::try_from(body.0.len()).unwrap_or(u32::MAX));
        out.number(serial);
        out.array(8, |out| {
            for (field, kind, text) in [
                (FIELD_PATH, "o", Some(self.path)),
                (FIELD_DESTINATION, "s", self.destination),
                (FIELD_INTERFACE, "s", Some(self.interface)),
                (FIELD_MEMBER, "s", Some(self.member)),
            ] {
                if let Some(text) = text {
                    out.field(field, kind, |out| out.text(text));
                }
            }
            if !signature.is_empty() {
                let field = u8::try_from(FIELD_SIGNATURE).unwrap_or_default();
                out.field(field, "g", |out| out.signature(&signature));
            }
        });
        out.align(8);
        out.0.extend(body.0);
        out.0
    }
}

/// Writes little-endian.
#[derive(Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        self.0.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.0.extend(text.bytes());
        self.0.push(0);
    }

    fn array(&mut self, element_alignment: usize, write: impl FnOnce(&mut Self)) {
        self.number(0);
        let length_at = self.0.len() - 4;
        self.align(element_alignment);
        let start = self.0.len();
        write(self);
        let length = u32::try_from(self.0.len() - start).unwrap_or(u32::MAX);
        self.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    fn field(&mut self, field: u8, kind: &str, write: impl FnOnce(&mut Self)) {
        self.align(8);
        self.0.push(field);
        self.signature(kind);
        write(self);
    }
}

/// How long the message is that starts with these [`START_BYTES`].
///
/// # Errors
/// This is no message's start, or the message is longer than [`MAX_MESSAGE_BYTES`].
pub fn message_length(start: &[u8; START_BYTES]) -> Result<usize, DbusError> {
    let mut reader = Reader::new(start)?;
    reader.at = 4;
    let body = reader.size()?;
    reader.at = 12;
    let fields = reader.size()?;
    let length = (START_BYTES + fields).next_multiple_of(8) + body;
    if length > MAX_MESSAGE_BYTES {
        return Err(DbusError { offset: 4, expected: "a message of up to 16 MiB" });
    }
    Ok(length)
}

/// Reads a whole message.
///
/// # Errors
/// The first place that makes no sense.
pub fn decode(message: &[u8]) -> Result<Incoming, DbusError> {
    let mut reader = Reader::new(message)?;
    let header = reader.values("yyyyuua(yv)")?;
    let mut incoming = Incoming { answers: None, error: None, body: Vec::new() };
    let mut signature = "";
    for field in header.last().map(Value::parts).unwrap_or_default() {
        let [Value::Unsigned(field), value] = field.parts() else { continue };
        match *field {
            FIELD_ERROR => incoming.error = value.text().map(str::to_owned),
            FIELD_ANSWERS => {
                incoming.answers = value.unsigned().and_then(|serial| u32::try_from(serial).ok());
            }
            FIELD_SIGNATURE => signature = value.text().unwrap_or_default(),
            _ => {}
        }
    }
    reader.align(8)?;
    // The body's alignment is its own, but as it starts at a multiple of 8 the two agree.
    incoming.body = reader.values(signature)?;
    Ok(incoming)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_big_endian: bool,
}

impl<'a> Reader<'a> {
    /// Arrays and variants within each other; the protocol allows 64 of each.
    const MAX_DEPTH: usize = 64;

    fn new(bytes: &'a [u8]) -> Result<Self, DbusError> {
        match bytes.first() {
            Some(b'l') => Ok(Self { bytes, at: 0, is_big_endian: false }),
            Some(b'B') => Ok(Self { bytes, at: 0, is_big_endian: true }),
            _ => Err(DbusError { offset: 0, expected: "the mark of the byte order, l or B" }),
        }
    }

    fn error(&self, expected: &'static str) -> DbusError {
        DbusError { offset: self.at, expected }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DbusError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.error("more bytes"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn align(&mut self, to: usize) -> Result<(), DbusError> {
        let padding = self.at.next_multiple_of(to) - self.at;
        self.take(padding).map(drop)
    }

    /// A number of this many bytes, 8 at most, aligned to its size.
    fn number(&mut self, size: usize) -> Result<u64, DbusError> {
        self.align(size)?;
        let bytes = self.take(size)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Ok(if self.is_big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }

    fn size(&mut self) -> Result<usize, DbusError> {
        let size = self.number(4)?;
        usize::try_from(size)
            .ok()
            .filter(|size| *size <= MAX_MESSAGE_BYTES)
            .ok_or_else(|| self.error("a size of up to 16 MiB"))
    }

    fn text(&mut self, length: usize) -> Result<String, DbusError> {
        let bytes = self.take(length)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| self.error("text in UTF-8"))?;
        match self.take(1)? {
            [0] => Ok(text),
            _ => Err(self.error("a zero behind a text")),
        }
    }

    fn signature(&mut self) -> Result<String, DbusError> {
        let length = self.number(1)?;
        self.text(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Values of all types of a signature.
    fn values(&mut self, signature: &str) -> Result<Vec<Value>, DbusError> {
        let mut types = signature.as_bytes();
        let mut values = Vec::new();
        while !types.is_empty() {
            let (first, rest) = split(types).ok_or_else(|| self.error("a sound signature"))?;
            values.push(self.value(first, 0)?);
            types = rest;
        }
        Ok(values)
    }

    fn value(&mut self, kind: &[u8], depth: usize) -> Result<Value, DbusError> {
        if depth > Self::MAX_DEPTH {
            return Err(self.error("fewer values within each other"));
        }
        Ok(match kind {
            b"y" => Value::Unsigned(self.number(1)?),
            b"q" => Value::Unsigned(self.number(2)?),
            b"u" | b"h" => Value::Unsigned(self.number(4)?),
            b"t" => Value::Unsigned(self.number(8)?),
            b"b" => Value::Bool(self.number(4)? != 0),
            b"n" => Value::Signed((self.number(2)? << 48).cast_signed() >> 48),
            b"i" => Value::Signed((self.number(4)? << 32).cast_signed() >> 32),
            b"x" => Value::Signed(self.number(8)?.cast_signed()),
            b"d" => Value::Double(f64::from_bits(self.number(8)?)),
            b"s" | b"o" => {
                let length = self.size()?;
                Value::Text(self.text(length)?)
            }
            b"g" => Value::Text(self.signature()?),
            b"v" => {
                let signature = self.signature()?;
                match split(signature.as_bytes()) {
                    Some((one, [])) => Value::Variant(Box::new(self.value(one, depth + 1)?)),
                    _ => return Err(self.error("the signature of one value")),
                }
            }
            [b'a', element @ ..] => self.array(element, depth)?,
            [b'(' | b'{', inner @ .., _] => {
                self.align(8)?;
                let mut types = inner;
                let mut parts = Vec::new();
                while let Some((first, rest)) = split(types) {
                    parts.push(self.value(first, depth + 1)?);
                    types = rest;
                }
                Value::Struct(parts)
            }
            _ => return Err(self.error("a type that D-Bus has")),
        })
    }

    fn array(&mut self, element: &[u8], depth: usize) -> Result<Value, DbusError> {
        let length = self.size()?;
        self.align(alignment(element))?;
        if element == b"y" {
            return self.take(length).map(|bytes| Value::Bytes(bytes.to_vec()));
        }
        let end = self.at + length;
        if end > self.bytes.len() {
            return Err(self.error("an array that fits into the message"));
        }
        let mut parts = Vec::new();
        while self.at < end {
            parts.push(self.value(element, depth + 1)?);
        }
        if self.at > end {
            return Err(self.error("an array that ends with an element"));
        }
        Ok(Value::Array(parts))
    }
}

/// The first complete type of a signature, and what follows it.
fn split(types: &[u8]) -> Option<(&[u8], &[u8])> {
    /// The protocol's limit for arrays and for structures each.
    const MAX_NESTED: usize = 64;
    let mut open = Vec::new();
    let mut arrays = 0;
    for (i, kind) in types.iter().enumerate() {
        match kind {
            b'(' => open.push(b')'),
            b'{' => open.push(b'}'),
            b')' | b'}' => {
                // Structures without parts take no bytes: an array of them would never end.
                let is_empty = i > 0 && matches!(types[i - 1], b'(' | b'{');
                if open.pop() != Some(*kind) || is_empty {
                    return None;
                }
            }
            b'a' => {
                arrays += 1;
                if arrays > MAX_NESTED {
                    return None;
                }
                continue;
            }
            b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g'
            | b'v' | b'h' => {}
            _ => return None,
        }
        if open.len() > MAX_NESTED {
            return None;
        }
        let is_array_without_type = matches!(kind, b')' | b'}') && i > 0 && types[i - 1] == b'a';
        if is_array_without_type {
            return None;
        }
        if open.is_empty() {
            return Some(types.split_at(i + 1));
        }
    }
    None
}

fn alignment(kind: &[u8]) -> usize {
    match kind.first() {
        Some(b'y' | b'g' | b'v') => 1,
        Some(b'n' | b'q') => 2,
        Some(b'x' | b't' | b'd' | b'(' | b'{') => 8,
        _ => 4,
    }
}

impl fmt::Display for Incoming {
    /// An error's name, and what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error.as_deref().unwrap_or("no error"))?;
        match self.body.first().and_then(Value::text) {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

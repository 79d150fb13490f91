//! The JSON of protocol buffers: long integers come as texts, and special numbers have names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::message::Request;
use super::{MAX_NODES, RequestError};

/// Reads a request.
pub(super) fn request(bytes: &[u8]) -> Result<Request, RequestError> {
    // Each message begins with a brace; counting them is cheaper than the memory that they take.
    // So are the commas for the numbers of a list.
    let count = |wanted| memchr::memchr_iter(wanted, bytes).count();
    if count(b'{') > MAX_NODES / 2 || count(b',') > MAX_NODES * 8 {
        return Err(RequestError::TooLarge);
    }
    serde_json::from_slice(bytes).map_err(RequestError::Json)
}

/// A number, or the text of one.
struct Number;

#[derive(Debug, Clone, Copy)]
enum Read {
    Unsigned(u64),
    Signed(i64),
    Double(f64),
}

impl Visitor<'_> for Number {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text that holds one")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Read, E> {
        Ok(Read::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Read, E> {
        Ok(Read::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Read, E> {
        Ok(Read::Double(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Read, E> {
        if let Ok(number) = text.parse() {
            return Ok(Read::Unsigned(number));
        }
        if let Ok(number) = text.parse() {
            return Ok(Read::Signed(number));
        }
        // Rust reads `Infinity`, `-Infinity` and `NaN`, too.
        text.parse().map(Read::Double).map_err(|_| {
            let start: String = text.chars().take(40).collect();
            E::custom(format_args!("`{start}` is not a number"))
        })
    }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number)
    }
}

impl Read {
    fn unsigned<E: Error>(self) -> Result<u64, E> {
        match self {
            Self::Unsigned(number) => Ok(number),
            Self::Signed(_) | Self::Double(_) => {
                Err(E::custom("a whole number that is not below zero was expected"))
            }
        }
    }

    fn signed<E: Error>(self) -> Result<i64, E> {
        match self {
            Self::Unsigned(number) => i64::try_from(number).map_err(E::custom),
            Self::Signed(number) => Ok(number),
            Self::Double(_) => Err(E::custom("a whole number was expected")),
        }
    }

    fn double(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Signed(number) => number as f64,
            Self::Double(number) => number,
        }
    }
}

pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Read::deserialize(deserializer)?.unsigned()
}

pub(super) fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Read::deserialize(deserializer)?.signed()
}

pub(super) fn signed_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<Read>::deserialize(deserializer)?.map(Read::signed).transpose()
}

pub(super) fn double<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Read>::deserialize(deserializer)?.map(Read::double))
}

pub(super) fn integers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    deserializer.deserialize_seq(Numbers(Read::unsigned::<D::Error>))
}

pub(super) fn doubles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    deserializer
        .deserialize_seq(Numbers(|read: Read| -> Result<f64, D::Error> { Ok(read.double()) }))
}

/// A list of numbers, without keeping the form in which they came.
struct Numbers<F>(F);

impl<'de, T, X, F> Visitor<'de> for Numbers<F>
where
    F: Fn(Read) -> Result<T, X>,
    X: fmt::Display,
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut numbers = Vec::new();
        while let Some(read) = list.next_element::<Read>()? {
            numbers.push((self.0)(read).map_err(A::Error::custom)?);
        }
        Ok(numbers)
    }
}

/// That something is there, whatever it is.
pub(super) fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

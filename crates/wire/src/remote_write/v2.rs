//! `io.prometheus.write.v2.Request`: texts are written once, as symbols, and referred to.

use barograph_model::METRIC_NAME;

use super::{
    LabelBytes, MAX_PAIRS, MAX_SAMPLES_PER_SERIES, Receiver, RequestError, Series, SeriesNameError,
    metric_type, sample, text,
};
use crate::protobuf::{Fields, Malformed, Value, take_varint};

/// Each takes 16 bytes of memory for two of the request.
const MAX_SYMBOLS: usize = 1_000_000;

/// What keys begin with, so that none is like one of version 1.
const KEY_MARK: u8 = 0xff;

/// Reads an unpacked request.
///
/// # Errors
/// The message is malformed, or the receiver wants no more.
pub fn read<R: Receiver>(message: &[u8], receiver: &mut R) -> Result<(), R::Error> {
    let symbols = symbols(message)?;
    let mut scratch = Scratch::default();
    let mut number = 0;
    for field in Fields::of(message) {
        if let (5, value) = field.map_err(RequestError::Message)? {
            number += 1;
            let broken = |problem| RequestError::Series { series: number, problem };
            scratch.clear();
            scratch.read(value.bytes().map_err(broken)?, number)?;
            scratch.tell(&symbols, receiver)?;
        }
    }
    Ok(())
}

fn symbols(message: &[u8]) -> Result<Vec<&[u8]>, RequestError> {
    let mut symbols = Vec::new();
    for field in Fields::of(message) {
        if let (4, value) = field.map_err(RequestError::Message)? {
            if symbols.len() >= MAX_SYMBOLS {
                return Err(RequestError::TooManySymbols { max: MAX_SYMBOLS });
            }
            symbols.push(value.bytes().map_err(RequestError::Message)?);
        }
    }
    Ok(symbols)
}

/// One series in the making; kept from one to the next for its memory.
#[derive(Debug, Default)]
struct Scratch {
    refs: Vec<u32>,
    samples: Vec<(i64, f64)>,
    key: Vec<u8>,
    histograms: u64,
    exemplars: u64,
    kind: u64,
    help: u32,
    unit: u32,
    has_metadata: bool,
}

impl Scratch {
    fn clear(&mut self) {
        let Self { mut refs, mut samples, mut key, .. } = std::mem::take(self);
        refs.clear();
        samples.clear();
        key.clear();
        *self = Self { refs, samples, key, ..Self::default() };
    }

    fn read(&mut self, message: &[u8], number: usize) -> Result<(), RequestError> {
        let broken = |problem| RequestError::Series { series: number, problem };
        for field in Fields::of(message) {
            match field.map_err(broken)? {
                (1, value) => self.read_refs(value).map_err(broken)?,
                (2, value) => {
                    if self.samples.len() >= MAX_SAMPLES_PER_SERIES {
                        return Err(RequestError::TooManySamples { series: number });
                    }
                    let message = value.bytes().map_err(broken)?;
                    self.samples.push(sample(message).map_err(broken)?);
                }
                (3, _) => self.histograms += 1,
                (4, _) => self.exemplars += 1,
                (5, value) => {
                    self.read_metadata(value.bytes().map_err(broken)?).map_err(broken)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// References are packed by every sender, but need not be.
    fn read_refs(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let one = |number: u64| u32::try_from(number).map_err(|_| Malformed::Field);
        match value {
            Value::Varint(number) => self.refs.push(one(number)?),
            Value::Bytes(mut packed) => {
                while !packed.is_empty() && self.refs.len() <= 2 * MAX_PAIRS {
                    self.refs.push(one(take_varint(&mut packed)?)?);
                }
            }
            _ => return Err(Malformed::Field),
        }
        Ok(())
    }

    fn read_metadata(&mut self, message: &[u8]) -> Result<(), Malformed> {
        self.has_metadata = true;
        let reference =
            |value: Value<'_>| u32::try_from(value.varint()?).map_err(|_| Malformed::Field);
        for field in Fields::of(message) {
            match field? {
                (1, value) => self.kind = value.varint()?,
                (3, value) => self.help = reference(value)?,
                (4, value) => self.unit = reference(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn tell<R: Receiver>(&mut self, symbols: &[&[u8]], receiver: &mut R) -> Result<(), R::Error> {
        self.key.push(KEY_MARK);
        for reference in &self.refs {
            // What refers to nothing gets a key that nothing else has, and is refused by its name.
            let symbol = symbols.get(*reference as usize).copied().unwrap_or(&[0xff]);
            self.key.extend_from_slice(&(symbol.len() as u64).to_le_bytes());
            self.key.extend_from_slice(symbol);
        }
        receiver.series(&Series {
            key: &self.key,
            is_expected: false,
            samples: &self.samples,
            histograms: self.histograms,
            exemplars: self.exemplars,
            labels: LabelBytes::V2 { refs: &self.refs, symbols },
        })?;
        let symbol = |reference: u32| {
            let bytes = symbols.get(reference as usize).copied().unwrap_or_default();
            std::str::from_utf8(bytes).unwrap_or_default()
        };
        if self.has_metadata {
            let mut pairs = self.refs.chunks_exact(2);
            let name = pairs.find(|pair| symbol(pair[0]) == METRIC_NAME);
            if let Some(name) = name {
                let kind = metric_type(self.kind);
                receiver.metadata(symbol(name[1]), kind, symbol(self.help), symbol(self.unit));
            }
        }
        Ok(())
    }
}

/// The pairs of names and values that references stand for.
pub(super) fn pairs<'a>(
    refs: &[u32],
    symbols: &[&'a [u8]],
) -> Result<Vec<(&'a str, &'a str)>, SeriesNameError> {
    if !refs.len().is_multiple_of(2) {
        return Err(SeriesNameError::Odd);
    }
    let look_up = |symbol: u32| {
        let missing = || SeriesNameError::NoSymbol { symbol, symbols: symbols.len() };
        text(symbols.get(symbol as usize).ok_or_else(missing)?)
    };
    let pairs = refs.chunks_exact(2).take(MAX_PAIRS);
    pairs.map(|pair| Ok((look_up(pair[0])?, look_up(pair[1])?))).collect()
}

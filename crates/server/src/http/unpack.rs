//! Compressed bodies, unpacked no further than there is room.

use std::io::Read;

use axum::http::{HeaderMap, header};

use crate::ingest::{NoRoom, Place};

use super::error::ApiError;
use super::receive::{self, MAX_UNPACKED_BYTES};

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

/// Why a body cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    #[error("the body unpacks to more than {MAX_UNPACKED_BYTES} bytes")]
    TooLarge,
    #[error("the body is not compressed as its header says")]
    Damaged,
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
}

impl Encoding {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        match receive::header_text(headers, header::CONTENT_ENCODING) {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(ApiError::unsupported_media("bodies are compressed by gzip or deflate here")),
        }
    }

    /// Unpacks a body, taking room for it as it grows.
    pub(super) fn unpack(self, body: Vec<u8>, place: &mut Place) -> Result<Vec<u8>, UnpackError> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => read_all(flate2::read::MultiGzDecoder::new(&body[..]), place),
            Self::Deflate => read_all(flate2::read::ZlibDecoder::new(&body[..]), place),
        }
    }
}

fn read_all(mut reader: impl Read, place: &mut Place) -> Result<Vec<u8>, UnpackError> {
    const STEP: usize = 64 * 1024;
    let mut out = Vec::new();
    loop {
        place.try_grow(STEP)?;
        let step = reader.by_ref().take(STEP as u64);
        match { step }.read_to_end(&mut out) {
            Ok(0) => return Ok(out),
            Ok(_) if out.len() > MAX_UNPACKED_BYTES => return Err(UnpackError::TooLarge),
            Ok(_) => {}
            Err(_) => return Err(UnpackError::Damaged),
        }
    }
}

/// The answer to a body that cannot be unpacked.
pub(super) fn refused(error: &UnpackError) -> ApiError {
    match error {
        UnpackError::TooLarge => ApiError::too_large(error.to_string()),
        UnpackError::Damaged => ApiError::bad_request("bad_body", error.to_string()),
        UnpackError::NoRoom(error) => ApiError::busy(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::ingest::Room;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_come_back_and_pay_for_their_room() {
        let room = Room::new(1 << 20);
        let mut place = room.enter().unwrap();
        let bytes = vec![7; 200_000];
        assert_eq!(Encoding::Gzip.unpack(gzip(&bytes), &mut place).unwrap(), bytes);
        assert!(room.in_flight() >= bytes.len());
        let garbage = Encoding::Gzip.unpack(vec![1, 2, 3], &mut place);
        assert!(matches!(garbage, Err(UnpackError::Damaged)));
    }

    #[test]
    fn a_bomb_stops_at_the_room_or_the_limit() {
        let bomb = gzip(&vec![0; MAX_UNPACKED_BYTES + 100_000]);
        assert!(bomb.len() < 100_000);
        let small = Room::new(1 << 20);
        let stopped = Encoding::Gzip.unpack(bomb.clone(), &mut small.enter().unwrap());
        assert!(matches!(stopped, Err(UnpackError::NoRoom(_))));
        let large = Room::new(1 << 30);
        let stopped = Encoding::Gzip.unpack(bomb, &mut large.enter().unwrap());
        assert!(matches!(stopped, Err(UnpackError::TooLarge)));
    }
}

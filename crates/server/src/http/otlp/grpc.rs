//! The same over gRPC, which many SDKs speak unless told otherwise. One call with one message each
//! way is a few bytes around it: not worth a library beside HTTP/2 itself.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use barograph_wire::otlp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::app::Context;
use crate::ingest::Report;

use super::super::error::ApiError;
use super::super::receive::{self, Peer};
use super::super::unpack::Encoding;
use super::{Form, take};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// A whole `google.rpc.Status`, where it has more to say than code and message.
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const TAKEN_ENCODINGS: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// gRPC's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Ok = 0,
    InvalidArgument = 3,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    /// Senders of OpenTelemetry's come again after this one.
    Unavailable = 14,
}

pub(crate) async fn export(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !receive::content_type(&headers).0.starts_with("application/grpc") {
        let message =
            "the content type is application/grpc; over HTTP/1 metrics are sent to /v1/metrics";
        return ApiError::unsupported_media(message).into_response();
    }
    let encoding = match receive::header_text(&headers, ENCODING) {
        "" | "identity" => Encoding::Identity,
        "gzip" => Encoding::Gzip,
        _ => return failed(Code::Unimplemented, "messages are compressed by gzip or not at all"),
    };
    let form = Form::Grpc(encoding);
    match take(&context.ingest, peer, form, Encoding::Identity, body).await {
        Ok(report) => success(&report),
        Err(error) => {
            let code = code(error.status);
            let mut response = failed(code, &error.message);
            if let Some(seconds) = error.retry_after_s() {
                let status = otlp::retry_proto(code as u8, &error.message, seconds);
                if let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(status)) {
                    response.headers_mut().insert(DETAILS, details);
                }
            }
            response
        }
    }
}

/// The one message of a request, and how it is compressed.
///
/// # Errors
/// It is not the only one, or not as long as it says.
pub(super) fn message(
    mut body: Vec<u8>,
    encoding: Encoding,
) -> Result<(Vec<u8>, Encoding), FrameError> {
    let Some((&[flag, a, b, c, d], message)) = body.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(FrameError::Short { bytes: body.len() });
    };
    let declared = u32::from_be_bytes([a, b, c, d]);
    if message.len() as u64 != u64::from(declared) {
        return Err(FrameError::Length { declared, bytes: message.len() });
    }
    let encoding = match flag {
        0 => Encoding::Identity,
        1 if encoding != Encoding::Identity => encoding,
        _ => return Err(FrameError::Flag(flag)),
    };
    body.drain(..PREFIX_BYTES);
    Ok((body, encoding))
}

/// What is wrong around a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("{bytes} bytes are no gRPC message: {PREFIX_BYTES} come before each")]
    Short { bytes: usize },
    #[error("the message declares {declared} bytes and has {bytes}")]
    Length { declared: u32, bytes: usize },
    #[error("the message's flag is {0}: 0, or 1 with a `grpc-encoding`, is allowed")]
    Flag(u8),
}

const fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::REQUEST_TIMEOUT => Code::Unavailable,
        StatusCode::PAYLOAD_TOO_LARGE => Code::ResourceExhausted,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => Code::InvalidArgument,
    }
}

fn success(report: &Report) -> Response {
    let message = report.complaint().unwrap_or_default();
    let message = otlp::partial_success_proto(report.refused_in_all(), &message);
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend(message);
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from(Code::Ok as u16));
    let frames = [Frame::data(Bytes::from(framed)), Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    with_type(Body::new(body).into_response())
}

/// Without a message the trailers are the head.
fn failed(code: Code, message: &str) -> Response {
    let mut response = with_type(Response::new(Body::empty()));
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(code as u16));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(message)) {
        headers.insert(MESSAGE, message);
    }
    response
}

fn with_type(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TAKEN_ENCODINGS, HeaderValue::from_static("identity,gzip"));
    response
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => write!(out, "%{byte:02X}").unwrap_or_default(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_what_its_prefix_says() {
        let taken = message(vec![0, 0, 0, 0, 2, 7, 8], Encoding::Gzip);
        assert_eq!(taken, Ok((vec![7, 8], Encoding::Identity)));
        let taken = message(vec![1, 0, 0, 0, 1, 7], Encoding::Gzip);
        assert_eq!(taken, Ok((vec![7], Encoding::Gzip)));
        for (body, encoding, said) in [
            (&[0, 0, 0][..], Encoding::Identity, "3 bytes are no gRPC message: 5 come before each"),
            (
                &[0, 255, 255, 255, 255, 1],
                Encoding::Identity,
                "the message declares 4294967295 bytes and has 1",
            ),
            (&[0, 0, 0, 0, 0, 1], Encoding::Identity, "the message declares 0 bytes and has 1"),
            (
                &[1, 0, 0, 0, 0],
                Encoding::Identity,
                "the message's flag is 1: 0, or 1 with a `grpc-encoding`, is allowed",
            ),
        ] {
            assert_eq!(message(body.to_vec(), encoding).unwrap_err().to_string(), said);
        }
        assert_eq!(percent_encoded("50 % é\n"), "50 %25 %C3%A9%0A");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_refused(body in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Ok((message, _)) = message(body.clone(), Encoding::Gzip) {
                prop_assert_eq!(message.len() + PREFIX_BYTES, body.len());
            }
        }
    }
}

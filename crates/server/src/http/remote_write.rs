//! Prometheus' remote write, received.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use barograph_wire::MetricType;
use barograph_wire::remote_write::{self, Receiver, RequestError, Series};
use barograph_wire::snappy::{self, SnappyError};

use crate::app::Context;
use crate::ingest::{Door, Ingest, Intake, Reason, Report, TooManySamples, WriteError};

use super::error::ApiError;
use super::receive::{self, MAX_UNPACKED_BYTES, Peer, Received};

/// The content type's parameter of version 2.
const V2: &str = "io.prometheus.write.v2.Request";
const V1: &str = "prometheus.WriteRequest";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

pub(crate) async fn write(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let version = match version(&headers) {
        Ok(version) => version,
        Err(error) => return error.into_response(),
    };
    match take(&context.ingest, peer, version, body).await {
        Ok(report) => answer(version, &report),
        Err(error) => with_counts(version, &Report::default(), error.into_response()),
    }
}

fn version(headers: &HeaderMap) -> Result<Version, ApiError> {
    let encoding = receive::header_text(headers, header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("snappy") {
        return Err(ApiError::unsupported_media("remote write is packed by snappy here"));
    }
    let (kind, parameters) = receive::content_type(headers);
    let proto = parameters.split(';').find_map(|one| one.trim().strip_prefix("proto="));
    match (kind, proto.map(|proto| proto.trim_matches('"'))) {
        ("" | "application/x-protobuf", None | Some(V1)) => Ok(Version::V1),
        ("application/x-protobuf", Some(V2)) => Ok(Version::V2),
        _ => Err(ApiError::unsupported_media(format!(
            "the content type is application/x-protobuf, with proto={V1} or proto={V2}"
        ))),
    }
}

async fn take(
    ingest: &Arc<Ingest>,
    peer: Peer,
    version: Version,
    body: Body,
) -> Result<Report, ApiError> {
    let Received { bytes, mut place } = receive::receive(ingest, body).await?;
    // Known before anything is unpacked, and paid for before it is allocated.
    let unpacked =
        snappy::unpacked_len(&bytes, MAX_UNPACKED_BYTES).map_err(|error| bad_snappy(&error))?;
    let grown = place.grow(unpacked).await;
    grown.map_err(|error| receive::busy(ingest, &error.to_string()))?;
    let source = ingest.source(Door::RemoteWrite, &peer.0.to_string());
    let infos = Arc::clone(ingest);
    let gather = move |intake: &mut Intake<'_>| {
        let _place = place;
        gather(version, &bytes, intake, &infos)
    };
    match ingest.write(source, gather).await {
        Ok(report) => Ok(report),
        // Prometheus gives up what is answered by 429 unless it is set to try again; what the
        // disk does not take for a moment must not be lost by that.
        Err(WriteError::Store(error)) => {
            ingest.count_busy();
            Err(ApiError::not_stored(error.to_string()))
        }
        Err(error) => Err(receive::write_error(ingest, error, refused)),
    }
}

/// Why a request is not taken as a whole.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Snappy(#[from] SnappyError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    TooMany(#[from] TooManySamples),
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Snappy(error) => bad_snappy(&error),
        Refusal::Request(error) => ApiError::bad_request("bad_request", error.to_string()),
        Refusal::TooMany(error) => ApiError::too_large(error.to_string()),
    }
}

fn bad_snappy(error: &SnappyError) -> ApiError {
    match error {
        SnappyError::TooLarge { .. } => ApiError::too_large(error.to_string()),
        _ => ApiError::bad_request("bad_snappy", error.to_string()),
    }
}

thread_local! {
    /// Where bodies are unpacked: the memory is used again and need not be zeroed.
    static UNPACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// What a thread keeps of it.
const KEPT_BYTES: usize = 1024 * 1024;

fn gather(
    version: Version,
    packed: &[u8],
    intake: &mut Intake<'_>,
    ingest: &Ingest,
) -> Result<(), Refusal> {
    let mut unpacked = UNPACKED.take();
    snappy::unpack(packed, MAX_UNPACKED_BYTES, &mut unpacked)?;
    let mut taker = Taker { intake, ingest };
    let result = match version {
        Version::V1 => remote_write::read_v1(&unpacked, &mut taker),
        Version::V2 => remote_write::read_v2(&unpacked, &mut taker),
    };
    if unpacked.capacity() <= KEPT_BYTES {
        UNPACKED.set(unpacked);
    }
    result
}

struct Taker<'i, 'a> {
    intake: &'i mut Intake<'a>,
    ingest: &'i Ingest,
}

impl Receiver for Taker<'_, '_> {
    type Error = Refusal;

    fn expected(&mut self, bytes: &[u8]) -> usize {
        self.intake.expected(bytes)
    }

    fn series(&mut self, series: &Series<'_>) -> Result<(), Refusal> {
        if series.histograms > 0 {
            self.intake.refuse(Reason::Unsupported, series.histograms);
            self.intake.explain(Reason::Unsupported, || {
                let name = series.labels().map(|labels| labels.to_string()).unwrap_or_default();
                format!("{name} is a native histogram; send classic buckets")
            });
        }
        if series.samples.is_empty() {
            return Ok(());
        }
        let known = series.is_expected.then(|| self.intake.take_expected()).flatten();
        match known.map_or_else(|| self.intake.series(series.key, || series.labels()), Ok) {
            Ok(id) => {
                for (time_ms, value) in series.samples {
                    self.intake.sample(id, *time_ms, *value)?;
                }
            }
            Err(reason) => self.intake.refuse(reason, series.samples.len() as u64),
        }
        Ok(())
    }

    fn metadata(&mut self, metric: &str, kind: MetricType, help: &str, unit: &str) {
        self.ingest.infos().describe(metric, kind, help, unit);
    }
}

fn answer(version: Version, report: &Report) -> Response {
    let response = match report.complaint() {
        None => StatusCode::NO_CONTENT.into_response(),
        // Nothing of it would be taken the next time either, so it is not to be sent again.
        Some(complaint) => ApiError::bad_request("partly_refused", complaint).into_response(),
    };
    with_counts(version, report, response)
}

/// Version 2 wants to be told what was written, and in every answer.
fn with_counts(version: Version, report: &Report, mut response: Response) -> Response {
    if version == Version::V2 {
        let counts = [
            ("x-prometheus-remote-write-samples-written", report.stored),
            ("x-prometheus-remote-write-histograms-written", 0),
            ("x-prometheus-remote-write-exemplars-written", 0),
        ];
        for (name, count) in counts {
            response.headers_mut().insert(HeaderName::from_static(name), count.into());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn version_of(content_type: &str, encoding: &str) -> Option<Version> {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [(header::CONTENT_TYPE, content_type), (header::CONTENT_ENCODING, encoding)]
        {
            if !value.is_empty() {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        version(&headers).ok()
    }

    #[test]
    fn the_content_type_says_which_version() {
        let v2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
        assert_eq!(version_of(v2, "snappy"), Some(Version::V2));
        let v1 = "application/x-protobuf; proto=prometheus.WriteRequest";
        assert_eq!(version_of(v1, "snappy"), Some(Version::V1));
        assert_eq!(version_of("application/x-protobuf", "snappy"), Some(Version::V1));
        assert_eq!(version_of("", ""), Some(Version::V1));
        for (kind, encoding) in [
            ("application/json", "snappy"),
            ("application/x-protobuf", "zstd"),
            ("application/x-protobuf;proto=io.prometheus.write.v9.Request", "snappy"),
        ] {
            assert_eq!(version_of(kind, encoding), None, "{kind} {encoding}");
        }
    }
}

//! OpenTelemetry's metrics over HTTP.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use barograph_model::{Labels, chain};
use barograph_wire::MetricType;
use barograph_wire::otlp::{self, PointError, RequestError, Sink, Time};
use tracing_mutex::stdsync::Mutex;

use crate::app::Context;
use crate::ingest::{Door, Ingest, Intake, Reason, Report, TooManySamples, WriteError};

use super::error::ApiError;
use super::receive::{self, Peer, Received};
use super::unpack::{self, Encoding, UnpackError};

pub(crate) mod grpc;

use grpc::FrameError;

/// The method's address in gRPC.
pub(crate) const GRPC: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
    /// With how its message is compressed, when it says that it is.
    Grpc(Encoding),
}

pub(crate) async fn metrics(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match receive::content_type(&headers).0 {
        "application/x-protobuf" => Form::Protobuf,
        "application/json" => Form::Json,
        _ => {
            let message = "the content type is application/x-protobuf or application/json";
            return ApiError::unsupported_media(message).into_response();
        }
    };
    let taken = match Encoding::of(&headers) {
        Ok(encoding) => take(&context.ingest, peer, form, encoding, body).await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(report) => success(form, &report),
        Err(error) => failure(form, error),
    }
}

async fn take(
    ingest: &Arc<Ingest>,
    peer: Peer,
    form: Form,
    encoding: Encoding,
    body: Body,
) -> Result<Report, ApiError> {
    let Received { bytes, mut place } = receive::receive(ingest, body).await?;
    let source = ingest.source(Door::Otlp, &peer.0.to_string());
    let added = Arc::new(Mutex::new(Vec::new()));
    let (for_gather, for_added) = (Arc::clone(ingest), Arc::clone(&added));
    let gather = move |intake: &mut Intake<'_>| {
        let (bytes, encoding) = match form {
            Form::Grpc(encoding) => grpc::message(bytes, encoding)?,
            Form::Protobuf | Form::Json => (bytes, encoding),
        };
        let bytes = encoding.unpack(bytes, &mut place)?;
        let mut taker = Taker { intake, ingest: &for_gather, added: Vec::new(), too_many: None };
        let promote = for_gather.promoted_attributes();
        let read = match form {
            Form::Protobuf | Form::Grpc(_) => otlp::read_proto(&bytes, promote, &mut taker),
            Form::Json => otlp::read_json(&bytes, promote, &mut taker),
        };
        let (added, too_many) = (taker.added, taker.too_many);
        *for_added.lock().unwrap_or_else(PoisonError::into_inner) = added;
        read?;
        too_many.map_or(Ok(()), |error| Err(Refusal::TooMany(error)))
    };
    ingest.write(source, gather).await.map_err(|error| {
        ingest.deltas().take_back(&added.lock().unwrap_or_else(PoisonError::into_inner));
        if matches!(error, WriteError::Refused(Refusal::Unpack(UnpackError::NoRoom(_)))) {
            ingest.count_busy();
        }
        receive::write_error(ingest, error, |refusal| refused(&refusal))
    })
}

/// Why a request is not taken as a whole.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    TooMany(TooManySamples),
}

fn refused(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::Unpack(error) => unpack::refused(error),
        Refusal::Request(error @ RequestError::TooLarge) => ApiError::too_large(error.to_string()),
        Refusal::Request(error) => ApiError::bad_request("bad_request", chain(error)),
        Refusal::Frame(error) => ApiError::bad_request("bad_body", error.to_string()),
        Refusal::TooMany(error) => ApiError::too_large(error.to_string()),
    }
}

struct Taker<'i, 'a> {
    intake: &'i mut Intake<'a>,
    ingest: &'i Ingest,
    /// What was added to totals.
    added: Vec<(Labels, f64)>,
    too_many: Option<TooManySamples>,
}

impl Sink for Taker<'_, '_> {
    fn sample(&mut self, labels: &Labels, time: Time, value: f64, delta: bool) {
        let series = match self.intake.labelled(labels) {
            Ok(series) => series,
            Err(reason) => return self.intake.refuse(reason, 1),
        };
        let value = if delta {
            let Some(total) = self.ingest.add_delta(labels, value) else {
                return self.intake.refuse(Reason::SeriesBudget, 1);
            };
            self.added.push((labels.clone(), value));
            total
        } else {
            value
        };
        let time_ms = time.unwrap_or_else(|| self.intake.now_ms());
        if let Err(error) = self.intake.sample(series, time_ms, value) {
            self.too_many = Some(error);
        }
    }

    fn refuse(&mut self, metric: &str, error: PointError) {
        let reason = match &error {
            PointError::Labels(_) => Reason::Labels,
            _ if error.is_unsupported() => Reason::Unsupported,
            _ => Reason::Malformed,
        };
        self.intake.refuse(reason, 1);
        self.intake.explain(reason, || format!("a point of {metric}: {error}"));
    }

    fn metadata(&mut self, metric: &str, kind: MetricType, help: &str, unit: &str) {
        self.ingest.infos().describe(metric, kind, help, unit);
    }
}

/// A request that was read is a success; what of it was not stored is told in the answer.
fn success(form: Form, report: &Report) -> Response {
    let rejected = report.refused_in_all();
    let message = report.complaint().unwrap_or_default();
    match form {
        Form::Protobuf | Form::Grpc(_) => protobuf(otlp::partial_success_proto(rejected, &message)),
        Form::Json => axum::Json(otlp::partial_success_json(rejected, &message)).into_response(),
    }
}

/// The same statuses in both forms; in protobuf with the message that its senders read.
fn failure(form: Form, error: ApiError) -> Response {
    let message = otlp::failure_proto(&error.message);
    let answer = error.into_response();
    if form == Form::Json {
        return answer;
    }
    let (mut head, _) = answer.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    let (own, body) = protobuf(message).into_parts();
    head.headers.extend(own.headers);
    Response::from_parts(head, body)
}

fn protobuf(message: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-protobuf")], message).into_response()
}

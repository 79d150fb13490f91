//! Samples by a plain POST: JSON lines, or the line protocol of InfluxDB.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use barograph_model::{Labels, METRIC_NAME};
use barograph_wire::influx::{self, Precision};
use barograph_wire::push;

use crate::app::Context;
use crate::ingest::{Door, Ingest, Intake, Reason, Report, TooManySamples, WriteError};

use super::error::ApiError;
use super::receive::{self, Peer, Received};
use super::unpack::{self, Encoding, UnpackError};

/// How the lines of a body are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Influx(Precision),
}

/// Either form, as the content type says.
pub(crate) async fn push(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let form = match receive::content_type(&headers).0 {
        "application/json" | "application/x-ndjson" | "application/jsonl" => Form::Json,
        // What curl says when nobody tells it what it sends.
        "" | "text/plain" | "application/x-www-form-urlencoded" => {
            Form::Influx(precision(query.as_deref())?)
        }
        _ => {
            return Err(ApiError::unsupported_media(
                "the content type is application/x-ndjson (or application/json) for JSON lines, \
                 or text/plain for InfluxDB's line protocol",
            ));
        }
    };
    take(&context.ingest, peer, form, &headers, body).await
}

/// The addresses of InfluxDB, where only its line protocol comes.
pub(crate) async fn influx(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let form = Form::Influx(precision(query.as_deref())?);
    take(&context.ingest, peer, form, &headers, body).await
}

/// Other parameters, such as the name of a database, are for others.
fn precision(query: Option<&str>) -> Result<Precision, ApiError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or_default())
        .map_err(|_| {
            ApiError::bad_request("bad_parameter", "parameters are in the form `name=value&…`")
        })?;
    let Some((_, text)) = pairs.iter().find(|(name, _)| name == "precision") else {
        return Ok(Precision::default());
    };
    Precision::parse(text).ok_or_else(|| {
        ApiError::bad_request("bad_parameter", "`precision` is one of ns, us, ms, s, m, h")
    })
}

async fn take(
    ingest: &Arc<Ingest>,
    peer: Peer,
    form: Form,
    headers: &HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let encoding = Encoding::of(headers)?;
    let Received { bytes, mut place } = receive::receive(ingest, body).await?;
    let source = ingest.source(Door::Push, &peer.0.to_string());
    let gather = move |intake: &mut Intake<'_>| {
        let bytes = encoding.unpack(bytes, &mut place)?;
        for (number, line) in (1_usize..).zip(bytes.split(|byte| *byte == b'\n')) {
            match form {
                Form::Json => take_json(intake, number, line)?,
                Form::Influx(precision) => take_influx(intake, number, line, precision)?,
            }
        }
        Ok(())
    };
    let report = ingest.write(source, gather).await.map_err(|error| {
        if matches!(error, WriteError::Refused(Refusal::Unpack(UnpackError::NoRoom(_)))) {
            ingest.count_busy();
        }
        receive::write_error(ingest, error, |refusal| refused(&refusal))
    })?;
    answer(&report)
}

/// Why a body is not taken as a whole.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error(transparent)]
    TooMany(#[from] TooManySamples),
}

fn refused(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::Unpack(error) => unpack::refused(error),
        Refusal::TooMany(error) => ApiError::too_large(error.to_string()),
    }
}

fn answer(report: &Report) -> Result<StatusCode, ApiError> {
    match report.complaint() {
        None => Ok(StatusCode::NO_CONTENT),
        Some(complaint) => Err(ApiError::bad_request("partly_refused", complaint)),
    }
}

fn bad_line(intake: &mut Intake<'_>, reason: Reason, number: usize, error: &dyn std::error::Error) {
    intake.refuse(reason, 1);
    intake.explain(reason, || format!("line {number}: {error}"));
}

fn take_json(intake: &mut Intake<'_>, number: usize, line: &[u8]) -> Result<(), TooManySamples> {
    let line = match push::parse(line) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(()),
        Err(error) => {
            let reason = match error {
                push::LineError::Labels(_) | push::LineError::NoName => Reason::Labels,
                _ => Reason::Malformed,
            };
            bad_line(intake, reason, number, &error);
            return Ok(());
        }
    };
    let now_ms = intake.now_ms();
    match intake.labelled(&line.labels) {
        Ok(series) => {
            for (time_ms, value) in line.samples {
                intake.sample(series, time_ms.unwrap_or(now_ms), value)?;
            }
        }
        Err(reason) => intake.refuse(reason, line.samples.len() as u64),
    }
    Ok(())
}

fn take_influx(
    intake: &mut Intake<'_>,
    number: usize,
    line: &[u8],
    precision: Precision,
) -> Result<(), TooManySamples> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => {
            bad_line(intake, Reason::Malformed, number, &error);
            return Ok(());
        }
    };
    let line = match influx::parse(text) {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(()),
        Err(error) => {
            bad_line(intake, Reason::Malformed, number, &error);
            return Ok(());
        }
    };
    let time_ms = line.time.map_or(intake.now_ms(), |time| precision.to_ms(time));
    for (field, value) in &line.fields {
        let metric = line.metric(field);
        let pairs = line.labels().map(|(name, value)| (name.into_owned(), value.to_owned()));
        match Labels::new(pairs.chain([(METRIC_NAME.to_owned(), metric)])) {
            Ok(labels) => match intake.labelled(&labels) {
                Ok(series) => intake.sample(series, time_ms, *value)?,
                Err(reason) => intake.refuse(reason, 1),
            },
            Err(error) => bad_line(intake, Reason::Labels, number, &error),
        }
    }
    Ok(())
}

//! Documents over HTTP: listed, read, checked, changed, compared, rolled back.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use barograph_model::chain;
use barograph_state::{Expected, StateError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::Context;
use crate::documents::{
    Applied, Author, Difference, DocumentError, DocumentProblem, Documents, KINDS, Kind, Wanted,
    unified,
};

use super::error::ApiError;
use super::extract::{Path, parameters};
use super::receive::receive;
use super::waiting::wait;

/// What stands beside a change: who makes it and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    #[serde(default = "somebody")]
    pub(super) by: String,
    #[serde(default)]
    note: String,
    /// Only tell what would happen.
    #[serde(default)]
    dry_run: bool,
    version: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
}

fn somebody() -> String {
    "local".to_owned()
}

impl Parameters {
    /// Only those of `allowed` may be given.
    pub(super) fn read(text: Option<&str>, allowed: &[&str]) -> Result<Self, ApiError> {
        let bad = |message: String| ApiError::bad_request("bad_parameter", message);
        let text = text.unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
            .map_err(|_| bad("the parameters are not in the form `name=value&…`".to_owned()))?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            let allowed = allowed.join(", ");
            return Err(bad(format!("`{name}` is no parameter here; allowed: {allowed}")));
        }
        parameters(text)
    }

    fn author(&self) -> Author<'_> {
        Author { by: &self.by, note: &self.note }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ListAnswer {
    kinds: Vec<KindAnswer>,
    documents: Vec<DocumentAnswer>,
    /// Documents that cannot be read.
    damaged: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KindAnswer {
    kind: &'static str,
    what: &'static str,
    documents: usize,
}

/// A document; its text is left out of lists.
#[derive(Debug, Serialize)]
struct DocumentAnswer {
    kind: String,
    name: String,
    version: u64,
    author: String,
    changed_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct HistoryAnswer {
    versions: Vec<VersionAnswer>,
    damaged: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct VersionAnswer {
    version: u64,
    author: String,
    note: String,
    changed_ms: i64,
    /// This version is the document's removal.
    removed: bool,
    bytes: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct CheckAnswer {
    /// Whether the text would be accepted.
    ok: bool,
    problems: Vec<DocumentProblem>,
    /// What it would change, in the unified format.
    diff: String,
}

/// Runs on a thread that may wait for the disk.
async fn off<T: Send + 'static>(
    context: &Context,
    act: impl FnOnce(&Documents) -> Result<T, DocumentError> + Send + 'static,
) -> Result<T, ApiError> {
    let documents = Arc::clone(&context.documents);
    wait("what was asked", move || act(&documents)).await?.map_err(ApiError::from)
}

/// `GET /api/documents`
pub(crate) async fn all(State(context): State<Context>) -> Result<Json<ListAnswer>, ApiError> {
    off(&context, |documents| list(documents, KINDS)).await.map(Json)
}

/// `GET /api/schemas/KIND`
pub(crate) async fn schema(Path(kind): Path<String>) -> Result<Response, ApiError> {
    let schema = Kind::named(&kind)?.schema;
    Ok(([(header::CONTENT_TYPE, "application/json")], schema).into_response())
}

/// `GET /api/documents/KIND`
pub(crate) async fn of_kind(
    State(context): State<Context>,
    Path(kind): Path<String>,
) -> Result<Json<ListAnswer>, ApiError> {
    let found =
        off(&context, move |documents| list(documents, std::slice::from_ref(Kind::named(&kind)?)));
    found.await.map(Json)
}

fn list(documents: &Documents, kinds: &[Kind]) -> Result<ListAnswer, DocumentError> {
    let mut answer = ListAnswer { kinds: Vec::new(), documents: Vec::new(), damaged: Vec::new() };
    for kind in kinds {
        let listing = documents.list(kind.name)?;
        let (name, documents) = (kind.name, listing.items.len());
        answer.kinds.push(KindAnswer { kind: name, what: kind.what, documents });
        answer
            .documents
            .extend(listing.items.into_iter().map(|it| DocumentAnswer { text: None, ..it.into() }));
        answer.damaged.extend(listing.damaged);
    }
    Ok(answer)
}

impl From<barograph_state::Document> for DocumentAnswer {
    fn from(document: barograph_state::Document) -> Self {
        let barograph_state::Document { kind, name, version, author, changed_ms, text } = document;
        Self { kind, name, version, author, changed_ms, text: Some(text) }
    }
}

/// `GET /api/documents/KIND/NAME`; one of its versions with `version=N`.
pub(crate) async fn read(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["version"])?;
    let answer = off(&context, move |documents| match asked.version {
        None => Ok(DocumentAnswer::from(documents.get(&kind, &name)?)),
        Some(version) => {
            let found = documents.revision(&kind, &name, version)?;
            let (author, changed_ms, text) = (found.author, found.changed_ms, found.text);
            Ok(DocumentAnswer { kind, name, version, author, changed_ms, text })
        }
    });
    let answer = answer.await?;
    let tag = etag(answer.version);
    Ok((tag, Json(answer)).into_response())
}

fn etag(version: u64) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("\"{version}\""));
    value.ok().map(|value| (header::ETAG, value)).into_iter().collect()
}

/// `PUT /api/documents/KIND/NAME`: the body is the text.
pub(crate) async fn write(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["by", "note", "dry_run"])?;
    let expected = expected(&headers)?;
    let text = Some(text_of(&context, body).await?);
    let wanted = Wanted { kind, name, text, expected };
    change(&context, asked, wanted).await
}

/// `DELETE /api/documents/KIND/NAME`
pub(crate) async fn remove(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["by", "note", "dry_run"])?;
    let expected = expected(&headers)?;
    change(&context, asked, Wanted { kind, name, text: None, expected }).await
}

async fn change(
    context: &Context,
    asked: Parameters,
    wanted: Wanted,
) -> Result<Response, ApiError> {
    let applied =
        off(context, move |documents| documents.apply(&[wanted], asked.author(), asked.dry_run));
    Ok(changed(&applied.await?))
}

/// The answer to a change of one document.
fn changed(applied: &Applied) -> Response {
    let Some(outcome) = applied.documents.first() else {
        return ApiError::internal("failed", "nothing was done").into_response();
    };
    let mut body = json!(outcome);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("warnings".to_owned(), json!(applied.warnings));
    }
    (etag(outcome.version), Json(body)).into_response()
}

/// Which version the sender has seen.
fn expected(headers: &HeaderMap) -> Result<Expected, ApiError> {
    let text = |name| headers.get(name).map(|it: &HeaderValue| it.to_str().unwrap_or("?").trim());
    let bad = |name: &str, allowed: &str| {
        ApiError::bad_request("bad_header", format!("{name} is not understood; allowed: {allowed}"))
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Any),
        (None, Some("*")) => Ok(Expected::Absent),
        (None, Some(_)) => Err(bad("If-None-Match", "*")),
        (Some(tag), _) => {
            let number = tag.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(tag);
            let version = number.parse();
            version.map(Expected::Version).map_err(|_| bad("If-Match", "the ETag of a document"))
        }
    }
}

pub(super) async fn text_of(context: &Context, body: Body) -> Result<String, ApiError> {
    let received = receive(&context.ingest, body).await?;
    String::from_utf8(received.bytes).map_err(|error| {
        ApiError::bad_request("bad_body", format!("the body is not text: {error}"))
    })
}

/// `POST /api/documents/KIND/NAME/check`: what would be said of a text, without writing it.
pub(crate) async fn check(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    body: Body,
) -> Result<Json<CheckAnswer>, ApiError> {
    let text = text_of(&context, body).await?;
    let answer = off(&context, move |documents| {
        let there = match documents.get(&kind, &name) {
            Ok(there) => there.text,
            Err(DocumentError::Missing { .. }) => String::new(),
            Err(error) => return Err(error),
        };
        let diff = unified(&there, &text, ("now", "then"));
        let wanted = Wanted { kind, name, text: Some(text), expected: Expected::Any };
        match documents.apply(&[wanted], Author { by: "nobody", note: "" }, true) {
            Ok(applied) => Ok(CheckAnswer { ok: true, problems: applied.warnings, diff }),
            Err(DocumentError::Invalid(problems)) => Ok(CheckAnswer { ok: false, problems, diff }),
            Err(error) => Err(error),
        }
    });
    answer.await.map(Json)
}

/// `GET /api/documents/KIND/NAME/history`
pub(crate) async fn history(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Json<HistoryAnswer>, ApiError> {
    let listing = off(&context, move |documents| documents.history(&kind, &name)).await?;
    let versions = listing.items.into_iter().map(|it| VersionAnswer {
        version: it.version,
        author: it.author,
        note: it.note,
        changed_ms: it.changed_ms,
        removed: it.text.is_none(),
        bytes: it.text.map_or(0, |text| text.len()),
    });
    Ok(Json(HistoryAnswer { versions: versions.collect(), damaged: listing.damaged }))
}

/// `GET /api/documents/KIND/NAME/diff?from=N&to=N`
pub(crate) async fn diff(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Json<Difference>, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["from", "to"])?;
    let found = off(&context, move |documents| documents.diff(&kind, &name, asked.from, asked.to));
    found.await.map(Json)
}

/// `POST /api/documents/KIND/NAME/rollback?to=N`
pub(crate) async fn roll_back(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    let asked = Parameters::read(text.as_deref(), &["to", "by", "note"])?;
    let Some(to) = asked.to else {
        return Err(ApiError::bad_request("bad_parameter", "`to` names the version to go back to"));
    };
    let applied =
        off(&context, move |documents| documents.roll_back(&kind, &name, to, asked.author()));
    Ok(changed(&applied.await?))
}

/// Many documents at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplyBody {
    #[serde(default = "somebody")]
    by: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    dry_run: bool,
    documents: Vec<ApplyDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplyDocument {
    kind: String,
    name: String,
    /// Without it the document is removed.
    text: Option<String>,
    /// The version that must be there; 0: none.
    version: Option<u64>,
}

/// `POST /api/documents`: changes many documents, all or none.
pub(crate) async fn apply(
    State(context): State<Context>,
    body: Body,
) -> Result<Json<Applied>, ApiError> {
    let received = receive(&context.ingest, body).await?;
    let body: ApplyBody = serde_json::from_slice(&received.bytes)
        .map_err(|error| ApiError::bad_request("bad_body", error.to_string()))?;
    let wanted: Vec<Wanted> = body.documents.into_iter().map(Wanted::from).collect();
    let (by, note, is_trial) = (body.by, body.note, body.dry_run);
    let applied = off(&context, move |documents| {
        documents.apply(&wanted, Author { by: &by, note: &note }, is_trial)
    });
    applied.await.map(Json)
}

impl From<ApplyDocument> for Wanted {
    fn from(document: ApplyDocument) -> Self {
        let ApplyDocument { kind, name, text, version } = document;
        let expected = match version {
            None => Expected::Any,
            Some(0) => Expected::Absent,
            Some(version) => Expected::Version(version),
        };
        Self { kind, name, text, expected }
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        let message = chain(&error);
        let failed = |code| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, code, &*message);
        match error {
            DocumentError::Kind(_) => {
                let mut error = ApiError::not_found("no_such_kind", message);
                error.suggestions = KINDS.iter().map(|kind| kind.name.to_owned()).collect();
                error
            }
            DocumentError::Missing { .. } | DocumentError::State(StateError::NoDocument { .. }) => {
                ApiError::not_found("no_such_document", message)
            }
            DocumentError::Version { .. } => ApiError::not_found("no_such_version", message),
            DocumentError::Removed { .. } => ApiError::bad_request("removed_version", message),
            DocumentError::Twice(_) => ApiError::bad_request("named_twice", message),
            DocumentError::Many(_) => ApiError::over_limit("too_many_documents", message),
            DocumentError::Invalid(problems) => {
                ApiError::over_limit("invalid_document", message).with("problems", &problems)
            }
            DocumentError::InUse(problems) => {
                ApiError::new(StatusCode::CONFLICT, "in_use", message).with("problems", &problems)
            }
            DocumentError::State(StateError::Conflict { found, .. }) => {
                ApiError::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", message)
                    .with("version", &found)
            }
            DocumentError::State(StateError::TooLong { .. }) => ApiError::too_large(message),
            DocumentError::State(StateError::Name { .. }) => {
                ApiError::bad_request("bad_name", message)
            }
            DocumentError::State(StateError::Damaged { .. }) => failed("damaged"),
            DocumentError::State(_) => failed("not_saved"),
        }
    }
}

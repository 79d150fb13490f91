//! Silences as Alertmanager writes them: each is a document of the kind `silences`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use barograph_alerts::machine::Texts;
use barograph_alerts::matchers::Matchers;
use barograph_alerts::mute::Silence;
use barograph_model::{MatchOp, Matcher, chain};
use barograph_state::{Document, Expected};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::{Parameters, Refusal};
use crate::app::{App, Context};
use crate::documents::{Author, DocumentError, SILENCES, Wanted};
use crate::timestamp::{iso, parse};

const MAX_BODY_BYTES: usize = 64 * 1024;

#[derive(Debug, Serialize)]
pub(crate) struct SilenceAnswer {
    id: String,
    status: StateAnswer,
    #[serde(rename = "updatedAt")]
    updated_at: String,
    comment: String,
    #[serde(rename = "createdBy")]
    created_by: String,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
    matchers: Vec<MatcherText>,
}

#[derive(Debug, Serialize)]
struct StateAnswer {
    state: &'static str,
}

#[derive(Debug, Serialize, Deserialize)]
struct MatcherText {
    name: String,
    value: String,
    #[serde(rename = "isRegex")]
    is_regex: bool,
    #[serde(rename = "isEqual", default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

/// What is posted.
#[derive(Debug, Deserialize)]
struct Wish {
    /// Of a silence that is changed.
    #[serde(default)]
    id: String,
    matchers: Vec<MatcherText>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
    #[serde(rename = "createdBy")]
    created_by: String,
    comment: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct PutAnswer {
    #[serde(rename = "silenceID")]
    silence_id: String,
}

/// `GET /api/v2/silences`: those that hold first, then those to come, then those that ended.
pub(crate) async fn list(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<Vec<SilenceAnswer>>, Refusal> {
    let parameters = Parameters::read(text.as_deref())?;
    let filter = parameters.filter()?;
    let creators: Vec<&str> = parameters.all("creator").collect();
    let now_ms = context.clock.now_ms();
    let listing = blocking(move || context.documents.list(SILENCES)).await?;
    let mut answers: Vec<SilenceAnswer> = Vec::new();
    for document in listing.map_err(|error| refusal(&error))?.items {
        let Some(silence) = read(&document) else { continue };
        // A silence fits a filter if one of its conditions is about what the filter asks.
        let labels: Texts = silence
            .matchers
            .iter()
            .map(|it| (it.label().to_owned(), it.value().to_owned()))
            .collect();
        let is_by = creators.is_empty() || creators.contains(&silence.owner.as_str());
        if is_by && filter.matches(&labels) {
            answers.push(answer(&document, &silence, now_ms));
        }
    }
    let rank = |it: &SilenceAnswer| match it.status.state {
        "active" => 0,
        "pending" => 1,
        _ => 2,
    };
    answers.sort_by(|a, b| (rank(a), &a.ends_at).cmp(&(rank(b), &b.ends_at)));
    Ok(Json(answers))
}

/// `GET /api/v2/silence/ID`.
pub(crate) async fn one(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<SilenceAnswer>, Refusal> {
    let now_ms = context.clock.now_ms();
    let (document, silence) = blocking(move || find(&context, &id)).await??;
    Ok(Json(answer(&document, &silence, now_ms)))
}

/// `POST /api/v2/silences`.
pub(crate) async fn put(
    State(context): State<Context>,
    body: Bytes,
) -> Result<Json<PutAnswer>, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Refusal::bad(format!("the body has more than {MAX_BODY_BYTES} bytes")));
    }
    let wish: Wish =
        serde_json::from_slice(&body).map_err(|error| Refusal::bad(error.to_string()))?;
    let silence = silence(&wish)?;
    silence.check(context.clock.now_ms()).map_err(|error| Refusal::bad(error.to_string()))?;
    let is_new = wish.id.is_empty();
    let name = if is_new { new_id()? } else { wish.id };
    let expected = if is_new { Expected::Absent } else { Expected::Any };
    let done = blocking(move || {
        if !is_new {
            find(&context, &name)?;
        }
        write(&context, &name, &silence, expected).map(|()| name)
    });
    Ok(Json(PutAnswer { silence_id: done.await?? }))
}

/// `DELETE /api/v2/silence/ID`: it ends now. One that has not begun goes.
pub(crate) async fn expire(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<(), Refusal> {
    blocking(move || {
        let (document, mut silence) = find(&context, &id)?;
        let now_ms = context.clock.now_ms();
        if silence.to_ms <= now_ms {
            return Err(Refusal::failed(format!("silence {id} already expired")));
        }
        if silence.from_ms < now_ms {
            silence.to_ms = now_ms;
            return write(&context, &id, &silence, Expected::Version(document.version));
        }
        let wanted = Wanted {
            kind: SILENCES.to_owned(),
            name: id,
            text: None,
            expected: Expected::Version(document.version),
        };
        let author = Author { by: &silence.owner, note: "expired before it began" };
        context.documents.apply(&[wanted], author, false).map(drop).map_err(|it| refusal(&it))
    })
    .await?
}

fn find(app: &App, id: &str) -> Result<(Document, Silence), Refusal> {
    let missing = || Refusal::missing(format!("silence {id} not found"));
    let document = app.documents.get(SILENCES, id).map_err(|error| match error {
        DocumentError::Missing { .. } => missing(),
        error => refusal(&error),
    })?;
    let silence = read(&document).ok_or_else(missing)?;
    Ok((document, silence))
}

fn read(document: &Document) -> Option<Silence> {
    barograph_alerts::document::read(&document.text).ok()
}

fn write(app: &App, id: &str, silence: &Silence, expected: Expected) -> Result<(), Refusal> {
    // JSON is YAML, too.
    let text =
        serde_json::to_string_pretty(silence).map_err(|error| Refusal::failed(chain(&error)))?;
    let (kind, name) = (SILENCES.to_owned(), id.to_owned());
    let wanted = Wanted { kind, name, text: Some(text), expected };
    let author = Author { by: &silence.owner, note: "by Alertmanager's interface" };
    app.documents.apply(&[wanted], author, false).map(drop).map_err(|error| refusal(&error))
}

fn silence(wish: &Wish) -> Result<Silence, Refusal> {
    let texts: Vec<String> = wish
        .matchers
        .iter()
        .map(|it| {
            let operator = match (it.is_equal, it.is_regex) {
                (true, false) => "=",
                (false, false) => "!=",
                (true, true) => "=~",
                (false, true) => "!~",
            };
            let value = it.value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{}{operator}\"{value}\"", it.name)
        })
        .collect();
    let matchers = Matchers::parse(&texts).map_err(|error| Refusal::bad(error.to_string()))?;
    let time = |name: &str, text: &str| {
        parse(text).ok_or_else(|| Refusal::bad(format!("`{name}` is `{text}`, which is no time")))
    };
    Ok(Silence {
        matchers,
        from_ms: time("startsAt", &wish.starts_at)?,
        to_ms: time("endsAt", &wish.ends_at)?,
        owner: wish.created_by.clone(),
        reason: wish.comment.clone(),
        ends_on_recovery: false,
    })
}

fn answer(document: &Document, silence: &Silence, now_ms: i64) -> SilenceAnswer {
    let state = match () {
        () if silence.to_ms <= now_ms => "expired",
        () if silence.from_ms > now_ms => "pending",
        () => "active",
    };
    SilenceAnswer {
        id: document.name.clone(),
        status: StateAnswer { state },
        updated_at: iso(document.changed_ms),
        comment: silence.reason.clone(),
        created_by: silence.owner.clone(),
        starts_at: iso(silence.from_ms),
        ends_at: iso(silence.to_ms),
        matchers: silence.matchers.iter().map(matcher).collect(),
    }
}

fn matcher(it: &Matcher) -> MatcherText {
    let op = it.op();
    MatcherText {
        name: it.label().to_owned(),
        value: it.value().to_owned(),
        is_regex: matches!(op, MatchOp::Regex | MatchOp::NotRegex),
        is_equal: matches!(op, MatchOp::Equal | MatchOp::Regex),
    }
}

/// A random name in the form of a UUID, as clients expect one.
fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| Refusal::failed("the system gives no random numbers"))?;
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) | (4 << 76);
    let number = number & !(3 << 62) | (2 << 62);
    let hex = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|it| hex.get(it).unwrap_or_default());
    Ok(parts.join("-"))
}

fn refusal(error: &DocumentError) -> Refusal {
    match error {
        DocumentError::State(_) => Refusal::failed(chain(error)),
        _ => Refusal::bad(chain(error)),
    }
}

/// What waits for the disk does not hold up other answers.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(|_| Refusal::failed("it could not be done; the log tells why"))
}

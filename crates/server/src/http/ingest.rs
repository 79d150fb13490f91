//! Who sends samples here, and what became of them.

use axum::Json;
use axum::extract::State;

use crate::app::Context;
use crate::ingest::IngestAnswer;

pub(crate) async fn ingest(State(context): State<Context>) -> Json<IngestAnswer> {
    Json(context.ingest.answer())
}

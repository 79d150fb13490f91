//! What the doors that work by themselves say: checks, text files, and who is sent to.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::Context;

pub(crate) async fn checks(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "checks": context.doors.checks.answer() }))
}

pub(crate) async fn textfiles(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "problems": context.doors.textfiles.problems() }))
}

pub(crate) async fn forward(State(context): State<Context>) -> Json<Value> {
    Json(json!({ "receivers": context.doors.forward.answer() }))
}

//! Dashboards as the page draws them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::Context;
use crate::dashboard::Dashboard;
use crate::documents::DASHBOARDS;

use super::error::ApiError;
use super::extract::Path;
use super::waiting::wait;

#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    name: String,
    version: u64,
    #[serde(flatten)]
    dashboard: Dashboard,
}

/// `GET /api/dashboards/NAME`
pub(crate) async fn dashboard(
    State(context): State<Context>,
    Path(name): Path<String>,
) -> Result<Json<Answer>, ApiError> {
    let documents = Arc::clone(&context.documents);
    let read = wait("reading the dashboard", move || documents.get(DASHBOARDS, &name)).await?;
    let document = read.map_err(ApiError::from)?;
    // It was good when it was written; another version of the program may think otherwise.
    let dashboard = Dashboard::read(&document.text).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        ApiError::internal("not_understood", told.join("; "))
    })?;
    Ok(Json(Answer { name: document.name, version: document.version, dashboard }))
}

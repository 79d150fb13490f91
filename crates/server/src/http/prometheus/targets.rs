//! What is scraped.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::error::{ErrorKind, Refused};
use super::respond::success;
use crate::app::Context;
use crate::scrape::Wanted;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    scrape_pool: String,
}

pub(super) async fn targets(
    State(context): State<Context>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let wanted = match asked.state.as_str() {
        "" | "any" => Wanted::Any,
        "active" => Wanted::Active,
        "dropped" => Wanted::Dropped,
        _ => return Err(Refused::parameter("state", "it is `any`, `active` or `dropped`")),
    };
    let job = Some(asked.scrape_pool.as_str()).filter(|job| !job.is_empty());
    let answer = serde_json::to_string(&context.doors.scraper.targets(wanted, job))
        .map_err(|error| Refused::new(ErrorKind::Internal, error.to_string()))?;
    Ok(success(&answer, &[], &[]))
}

//! Tests of people's pagers: when, and whether they were answered.

use axum::Json;
use axum::extract::{Path, State};
use barograph_model::chain;
use serde::Serialize;

use super::error::ApiError;
use super::waiting::wait;
use crate::alerting::PagerReport;
use crate::app::Context;

#[derive(Debug, Serialize)]
pub(crate) struct PagersAnswer {
    people: Vec<PagerReport>,
}

/// `GET /api/pager_tests`.
pub(crate) async fn list(State(context): State<Context>) -> Result<Json<PagersAnswer>, ApiError> {
    let people = wait("reading pager tests", move || context.alerting.pagers()).await?;
    Ok(Json(PagersAnswer { people }))
}

/// `POST /api/pager_tests/PERSON`: tests now.
pub(crate) async fn test(
    State(context): State<Context>,
    Path(person): Path<String>,
) -> Result<Json<PagerReport>, ApiError> {
    let asked = person.clone();
    match wait("testing", move || context.alerting.test_pager(&asked)).await? {
        Ok(Some(report)) => Ok(Json(report)),
        Ok(None) => {
            let message = format!("there is no `{person}` among people");
            Err(ApiError::not_found("no_such_person", message))
        }
        Err(error) => Err(ApiError::internal("failed", chain(&error))),
    }
}

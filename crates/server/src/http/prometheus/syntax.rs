//! Queries as text and as trees.

use axum::extract::State;
use axum::response::Response;

use super::error::Refused;
use super::params::Params;
use super::respond::success;
use super::text::push_json_string;
use super::tree::push_tree;
use crate::app::Context;

pub(super) async fn format(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let text = params.get("query").unwrap_or_default();
    let query =
        context.queries.parse(text, 0).map_err(|error| Refused::parameter("query", error))?;
    let mut data = String::new();
    push_json_string(&mut data, &query.expr().pretty());
    Ok(success(&data, &[], &[]))
}

pub(super) async fn parse(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let text = params.get("query").unwrap_or_default();
    let query =
        context.queries.parse(text, 0).map_err(|error| Refused::parameter("query", error))?;
    let mut data = String::new();
    push_tree(&mut data, query.expr());
    Ok(success(&data, &[], &[]))
}

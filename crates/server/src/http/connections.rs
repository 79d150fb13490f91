//! The connections of this host.

use axum::Json;
use axum::extract::State;

use crate::answers::ConnectionsAnswer;
use crate::app::Context;

use super::error::ApiError;

pub(crate) async fn connections(
    State(context): State<Context>,
) -> Result<Json<ConnectionsAnswer>, ApiError> {
    let taken = context.readings.connections.get().await?;
    Ok(Json(ConnectionsAnswer::new(&taken.value, taken.time_ms)))
}

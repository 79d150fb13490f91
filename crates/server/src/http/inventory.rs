//! What this host is made of.

use axum::Json;
use axum::extract::State;

use crate::answers::InventoryAnswer;
use crate::app::Context;

use super::error::ApiError;

pub(crate) async fn inventory(
    State(context): State<Context>,
) -> Result<Json<InventoryAnswer>, ApiError> {
    let taken = context.readings.inventory.get().await?;
    Ok(Json(InventoryAnswer::new(&taken.value, taken.time_ms)))
}

//! Live headline values for simple consumers, as server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::app::Context;

use super::error::ApiError;
use super::extract::Query;
use super::live::live_permit;
use super::simple::current;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamParams {
    metrics: Option<String>,
}

pub(crate) async fn stream(
    State(context): State<Context>,
    Query(params): Query<StreamParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let wanted = wanted_names(&context, params.metrics.as_deref())?;
    let permit = live_permit(&context)?;
    let follower = Follower { ticks: context.latest.watch(), context, wanted, _permit: permit };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// One consumer.
struct Follower {
    ticks: watch::Receiver<i64>,
    context: Context,
    wanted: Option<Vec<String>>,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next moment's values, or nothing when the server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                changed = self.ticks.changed() => changed.ok()?,
                () = self.context.stopped() => return None,
            }
            let wanted = self.wanted.as_ref();
            let newest = current(&self.context, |name| {
                wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name))
            });
            if let Some(event) = newest.and_then(|now| Event::default().json_data(now).ok()) {
                return Some(event);
            }
        }
    }
}

fn wanted_names(context: &Context, list: Option<&str>) -> Result<Option<Vec<String>>, ApiError> {
    let Some(list) = list else { return Ok(None) };
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !context.headline.contains(&name.as_str())) {
        Some(unknown) => Err(ApiError::unknown_metric(
            unknown,
            context.headline.iter().map(|name| (*name).to_owned()),
        )),
        None => Ok(Some(names)),
    }
}

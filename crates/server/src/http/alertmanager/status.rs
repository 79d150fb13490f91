//! What Alertmanager tells of itself.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::alerts::{ReceiverAnswer, receiver};
use crate::app::Context;
use crate::timestamp::iso;

/// `GET /api/v2/status`.
pub(crate) async fn status(State(context): State<Context>) -> Json<Value> {
    let version = env!("CARGO_PKG_VERSION");
    // Clients want all of these to be there.
    Json(json!({
        "cluster": {"name": "", "status": "disabled", "peers": []},
        "config": {"original": "# the routes of Barograph are documents of the kind `routes`\n"},
        "uptime": iso(context.started_ms),
        "versionInfo": {
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "",
            "version": format!("barograph {version}"),
        },
    }))
}

/// `GET /api/v2/receivers`: the policies.
pub(crate) async fn receivers(State(context): State<Context>) -> Json<BTreeSet<ReceiverAnswer>> {
    let book = context.documents.book();
    let names = book.directory.policies.keys().map(|it| receiver(Some(it)));
    Json(names.chain([receiver(None)]).collect())
}

//! Secrets that channels name.

use std::sync::Arc;

use barograph_model::chain;
use barograph_notify::FindSecret;
use barograph_state::{State, StateError};

/// Where sealed secrets are kept.
const SECRETS: &str = "secrets";

/// Opens secrets by their names.
pub(super) fn finder(state: &Arc<State>) -> FindSecret {
    let state = Arc::clone(state);
    Arc::new(move |name| {
        let sealed = state.read(|view| view.entry(SECRETS, name));
        let sealed = sealed.map_err(|error: StateError| chain(&error))?;
        let sealed = sealed.ok_or_else(|| "it is not there".to_owned())?;
        let sealed = String::from_utf8(sealed).map_err(|_| "it is damaged".to_owned())?;
        let secret = state.open_secret(&format!("secret/{name}"), &sealed);
        secret.map(|it| it.reveal().to_owned()).map_err(|error| chain(&error))
    })
}

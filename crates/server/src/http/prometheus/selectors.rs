//! The selectors of `match[]`.

use barograph_model::Matcher;
use barograph_promql::{ParseError, parse_wide_selector};

use super::params::Params;

/// Why a `match[]` is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum SelectorError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("match[] must contain at least one non-empty matcher")]
    LeavesNothingOut,
}

/// All of them; none of them matches everything.
pub(super) fn selectors(params: &Params) -> Result<Vec<Vec<Matcher>>, SelectorError> {
    params.all("match[]").map(selector).collect()
}

fn selector(text: &str) -> Result<Vec<Matcher>, SelectorError> {
    let matchers = parse_wide_selector(text)?;
    if matchers.iter().all(|matcher| matcher.matches_value("")) {
        return Err(SelectorError::LeavesNothingOut);
    }
    Ok(matchers)
}

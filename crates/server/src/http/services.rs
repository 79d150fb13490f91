//! The services of this host.

use axum::Json;
use axum::extract::{RawQuery, State};
use barograph_model::Pattern;

use crate::answers::{ServiceFilter, ServicesAnswer};
use crate::app::Context;

use super::error::ApiError;

pub(crate) async fn services(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<ServicesAnswer>, ApiError> {
    let filter = parse(text.as_deref().unwrap_or_default())?;
    let taken = context.readings.services.get().await?;
    Ok(Json(ServicesAnswer::new(&taken.value, &filter, taken.time_ms)))
}

fn parse(text: &str) -> Result<ServiceFilter, ApiError> {
    let bad = |message: String| ApiError::bad_request("bad_parameter", message);
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
        .map_err(|_| bad("the parameters are not in the form `name=value&…`".into()))?;
    let mut filter = ServiceFilter::default();
    for (name, value) in pairs {
        match (name.as_str(), value.as_str()) {
            ("name", pattern) if !pattern.is_empty() && pattern.len() <= MAX_PATTERN_BYTES => {
                filter.pattern = Some(Pattern::new(pattern));
            }
            ("name", _) => {
                return Err(bad(format!("`name` has 1 to {MAX_PATTERN_BYTES} bytes")));
            }
            ("all", "true" | "false") => filter.all = value == "true",
            ("failed", "true" | "false") => filter.only_failed = value == "true",
            ("all" | "failed", _) => return Err(bad(format!("`{name}` is true or false"))),
            _ => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!(
                    "there is no parameter `{name}`; allowed are all, failed, name"
                )));
            }
        }
    }
    Ok(filter)
}

const MAX_PATTERN_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_understood_and_mistakes_named() {
        let filter = parse("name=ssh*&failed=true").unwrap();
        assert!(filter.only_failed && !filter.all);
        assert_eq!(filter.pattern.unwrap().as_str(), "ssh*");
        for (text, part) in [
            ("name=", "`name` has 1 to 255 bytes"),
            ("all=yes", "`all` is true or false"),
            ("pattern=x", "no parameter `pattern`; allowed are all, failed, name"),
        ] {
            let message = parse(text).unwrap_err().message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

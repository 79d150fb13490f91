//! Who exchanges how much over TCP on this host.

use axum::Json;
use axum::extract::{RawQuery, State};

use crate::answers::{TalkersAnswer, TalkersBy};
use crate::app::Context;

use super::error::ApiError;

pub(crate) async fn talkers(
    State(context): State<Context>,
    RawQuery(text): RawQuery,
) -> Result<Json<TalkersAnswer>, ApiError> {
    let (by, top) = parse(text.as_deref().unwrap_or_default())?;
    let taken = context.readings.talkers.get().await?;
    Ok(Json(TalkersAnswer::new(&taken.value, by, Some(top), taken.time_ms)))
}

const TOP: usize = 100;
const MAX_TOP: usize = 10_000;

fn parse(text: &str) -> Result<(TalkersBy, usize), ApiError> {
    let bad = |message: String| ApiError::bad_request("bad_parameter", message);
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
        .map_err(|_| bad("the parameters are not in the form `name=value&…`".into()))?;
    let (mut by, mut top) = (TalkersBy::Process, TOP);
    for (name, value) in pairs {
        match name.as_str() {
            "by" => {
                by = TalkersBy::from_word(&value)
                    .ok_or_else(|| bad("`by` is process, address or connection".into()))?;
            }
            "top" => {
                let number = value.parse().ok().filter(|top| (1..=MAX_TOP).contains(top));
                top =
                    number.ok_or_else(|| bad(format!("`top` is a number from 1 to {MAX_TOP}")))?;
            }
            _ => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!("there is no parameter `{name}`; allowed are by, top")));
            }
        }
    }
    Ok((by, top))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_understood_and_mistakes_named() {
        assert_eq!(parse("by=address&top=5").unwrap(), (TalkersBy::Address, 5));
        assert_eq!(parse("").unwrap(), (TalkersBy::Process, TOP));
        for (text, part) in [
            ("by=port", "`by` is process, address or connection"),
            ("top=0", "`top` is a number from 1 to 10000"),
            ("limit=1", "no parameter `limit`; allowed are by, top"),
        ] {
            let message = parse(text).unwrap_err().message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}

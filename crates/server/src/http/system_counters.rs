//! What counters the system and its programs offer, beyond the catalog.

use axum::Json;
use axum::extract::RawQuery;
use barograph_collect::{Search, SystemObject, SystemObjects};
use barograph_model::{Pattern, chain};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::waiting::wait;

/// Every program that offers counters is asked, and one may take a minute: one question at a time.
static TURN: Semaphore = Semaphore::const_new(1);

const MAX_TEXT_BYTES: usize = 255;

#[derive(Debug, Serialize)]
pub(crate) struct ObjectAnswer {
    object: String,
    counters: Vec<CounterAnswer>,
    /// `null` for an object that exists once.
    instances: Option<Vec<String>>,
    /// Why it tells no counters.
    failure: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CounterAnswer {
    path: String,
    kind: Option<&'static str>,
    /// As Windows' header files number it.
    r#type: Option<u32>,
    help: String,
}

pub(crate) async fn counters(
    RawQuery(text): RawQuery,
) -> Result<Json<Vec<ObjectAnswer>>, ApiError> {
    let search = parse(text.as_deref().unwrap_or_default())?;
    let turn = TURN.try_acquire().map_err(|_| {
        ApiError::busy("another question about the system's counters is being answered")
    })?;
    let ask = move || {
        let _turn = turn;
        find(&search)
    };
    let found = wait("listing the counters", ask).await??;
    Ok(Json(found.into_iter().map(answer).collect()))
}

fn find(search: &Search) -> Result<Vec<SystemObject>, ApiError> {
    let found = SystemObjects::open().and_then(|mut objects| objects.find(search));
    found.map_err(|error| {
        let message = chain(&error);
        if error.is_absent() {
            ApiError::not_found("absent", message)
        } else {
            ApiError::unavailable("unreadable", message)
        }
    })
}

fn answer(object: SystemObject) -> ObjectAnswer {
    let SystemObject { name, counters, instances, failure } = object;
    let counters = counters.into_iter().map(|counter| CounterAnswer {
        path: counter.path,
        kind: counter.kind,
        r#type: counter.code,
        help: counter.explanation,
    });
    ObjectAnswer { object: name, counters: counters.collect(), instances, failure }
}

fn parse(text: &str) -> Result<Search, ApiError> {
    let bad = |message: String| ApiError::bad_request("bad_parameter", message);
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text)
        .map_err(|_| bad("the parameters are not in the form `name=value&…`".into()))?;
    let mut search = Search::default();
    for (name, value) in pairs {
        match name.as_str() {
            "object" | "search" if value.is_empty() || value.len() > MAX_TEXT_BYTES => {
                return Err(bad(format!("`{name}` has 1 to {MAX_TEXT_BYTES} bytes")));
            }
            "object" => {
                search.object = Some(Pattern::new(&value));
                // Of one object this is quick.
                search.explained = !value.contains('*');
            }
            "search" => search.text = value,
            _ => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!(
                    "there is no parameter `{name}`; allowed are object, search"
                )));
            }
        }
    }
    Ok(search)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_understood_and_mistakes_named() {
        let search = parse("object=Web+Service&search=bytes").unwrap();
        assert_eq!(search.object.unwrap().as_str(), "Web Service");
        assert!(search.explained && search.text == "bytes");
        assert!(!parse("object=*").unwrap().explained);
        for (text, part) in [
            ("object=", "`object` has 1 to 255 bytes"),
            ("name=x", "no parameter `name`; allowed are object, search"),
        ] {
            let message = parse(text).unwrap_err().message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[tokio::test]
    async fn a_system_without_counters_of_its_own_says_so_and_one_question_waits_for_another() {
        // Those of Wine are not asked; on Windows the list is told.
        match counters(RawQuery(None)).await {
            Err(error) => assert_eq!(error.code, "absent"),
            Ok(Json(objects)) => assert!(objects.iter().any(|it| it.object == "Memory")),
        }
        let _turn = TURN.acquire().await.unwrap();
        let error = counters(RawQuery(None)).await.unwrap_err();
        assert_eq!(error.code, "busy");
    }
}

//! What a request names in its address, refused in the form of all other refusals.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path as AnyPath};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The parts of the path that stand for something.
pub(crate) struct Path<T>(pub(crate) T);

/// The parameters behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match AnyPath::from_request_parts(parts, state).await {
            Ok(AnyPath(found)) => Ok(Self(found)),
            Err(rejection) => Err(bad(path_problem(&rejection))),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parameters(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn path_problem(rejection: &PathRejection) -> String {
    let PathRejection::FailedToDeserializePathParams(problem) = rejection else {
        return rejection.body_text();
    };
    match problem.kind() {
        ErrorKind::ParseError { value, .. }
        | ErrorKind::ParseErrorAtIndex { value, .. }
        | ErrorKind::ParseErrorAtKey { value, .. } => {
            let value: String = value.chars().take(100).collect();
            format!("`{value}` in the address is no whole number")
        }
        other => other.to_string(),
    }
}

/// Reads parameters; a mistake names the one that it is in.
pub(super) fn parameters<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_urlencoded::from_str(text).map_err(|error| {
        let problem = error.to_string();
        // The error does not say where it is, but it is the same without all the others.
        let is_at_fault = |pair: &&str| {
            serde_urlencoded::from_str::<T>(pair).is_err_and(|it| it.to_string() == problem)
        };
        let name = text.split('&').find(is_at_fault).and_then(|pair| pair.split('=').next());
        bad(match name {
            Some(name) if problem.contains("integer") || problem.contains("digit") => {
                format!("`{name}` is no whole number")
            }
            Some(name) if !problem.contains(name) => format!("`{name}`: {problem}"),
            _ => problem,
        })
    })
}

fn bad(message: String) -> ApiError {
    ApiError::bad_request("bad_parameter", message)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Asked {
        to: Option<u64>,
        dry_run: bool,
    }

    fn problem(text: &str) -> String {
        parameters::<Asked>(text).unwrap_err().message
    }

    #[test]
    fn a_mistake_names_its_parameter() {
        let good = Asked { to: Some(3), dry_run: true };
        assert_eq!(parameters::<Asked>("dry_run=true&to=3").unwrap(), good);
        assert_eq!(problem("dry_run=true&to=x"), "`to` is no whole number");
        assert_eq!(problem("to="), "`to` is no whole number");
        assert!(
            problem("to=3&dry_run=maybe").starts_with("`dry_run`: "),
            "{}",
            problem("dry_run=maybe")
        );
        assert_eq!(problem("to=1&to=2"), "duplicate field `to`");
        assert!(problem("more=1").contains("unknown field `more`"));
    }
}

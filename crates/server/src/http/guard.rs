//! What every request passes and every answer carries.
//!
//! Barograph listens on the loopback address only, without a sign-in. Any web page that the
//! administrator has open could then ask it, by a name that resolves to 127.0.0.1 (DNS
//! rebinding) or by a WebSocket, which no same-origin rule stops. So the `Host` header must name
//! this machine, and an `Origin` header must agree with it.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;

const ANSWER_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(crate) async fn check(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.headers()) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in ANSWER_HEADERS {
        // A page may need another policy.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refusal(headers: &HeaderMap) -> Option<ApiError> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_loopback(host) {
        return Some(ApiError::forbidden(
            "foreign_host",
            "the Host header must name this machine: localhost, 127.0.0.1 or [::1]",
        ));
    }
    let origin = headers.get(header::ORIGIN)?;
    let origin = origin.to_str().unwrap_or_default();
    match origin.split_once("://") {
        Some((_, origin_host)) if origin_host.eq_ignore_ascii_case(host) => None,
        _ => Some(ApiError::forbidden(
            "foreign_origin",
            "the request comes from a page of another origin",
        )),
    }
}

/// Whether a `Host` header, with or without a port, means this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(host: &str, origin: Option<&str>) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        refusal(&headers).map(|error| error.code)
    }

    #[test]
    fn loopback_names_pass() {
        for host in ["localhost:7575", "LOCALHOST", "127.0.0.1:7575", "127.8.9.1", "[::1]:7575"] {
            assert_eq!(code(host, None), None, "{host}");
        }
    }

    #[test]
    fn other_names_are_refused_even_if_they_resolve_here() {
        for host in ["evil.example:7575", "localhost.evil.example", "10.0.0.1", "", "[fe80::1]"] {
            assert_eq!(code(host, None), Some("foreign_host"), "{host}");
        }
    }

    #[test]
    fn origin_must_be_the_host() {
        assert_eq!(code("localhost:7575", Some("http://localhost:7575")), None);
        for origin in ["http://evil.example", "http://localhost:8080", "null", ""] {
            assert_eq!(code("localhost:7575", Some(origin)), Some("foreign_origin"), "{origin}");
        }
    }
}

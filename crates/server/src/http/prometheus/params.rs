//! Parameters: of the address, and of a posted form.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, header};
use jiff::Timestamp;

use super::error::{ErrorKind, Refused};

/// A form that holds the longest query.
const MAX_FORM_BYTES: usize = 4 * 1024 * 1024;
/// More than any client has a use for.
const MAX_PAIRS: usize = 10_000;
/// Times are kept this far from the ends of what 64 bits hold, so that sums of them stay within.
const MAX_TIME_MS: i64 = i64::MAX / 8;

/// Names and values in their order; those of the body first.
#[derive(Debug, Default)]
pub(super) struct Params {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        let in_address = request.uri().query().unwrap_or_default().to_owned();
        let is_form = request.method() == Method::POST
            && request
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|kind| kind.to_str().ok())
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let mut params = Self::default();
        if is_form {
            let body = to_bytes(request.into_body(), MAX_FORM_BYTES).await.map_err(|_| {
                bad(format!("the form cannot be read, or has more than {MAX_FORM_BYTES} bytes"))
            })?;
            params.add(&body)?;
        }
        params.add(in_address.as_bytes())?;
        Ok(params)
    }
}

fn bad(message: String) -> Refused {
    Refused::new(ErrorKind::BadData, message)
}

impl Params {
    fn add(&mut self, encoded: &[u8]) -> Result<(), Refused> {
        if encoded.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(encoded)
            .map_err(|error| bad(format!("the parameters cannot be read: {error}")))?;
        self.pairs.extend(pairs);
        if self.pairs.len() > MAX_PAIRS {
            return Err(bad(format!("more than {MAX_PAIRS} parameters")));
        }
        Ok(())
    }

    /// The first value of that name that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Milliseconds since 1970-01-01 UTC, from seconds or from RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        parse_time(text).map(Some).ok_or_else(|| {
            Refused::parameter(name, format!("cannot parse {text:?} to a valid timestamp"))
        })
    }

    pub(super) fn required_time(&self, name: &str) -> Result<i64, Refused> {
        self.time(name)?
            .ok_or_else(|| Refused::parameter(name, "cannot parse \"\" to a valid timestamp"))
    }

    /// Milliseconds, from seconds or from a duration such as `1m30s`.
    pub(super) fn duration(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let seconds = text.parse::<f64>().ok();
        let ms = match seconds {
            Some(seconds) => to_ms(seconds),
            None => barograph_promql::parse_duration(text).ok(),
        };
        ms.map(Some).ok_or_else(|| {
            Refused::parameter(name, format!("cannot parse {text:?} to a valid duration"))
        })
    }

    /// A duration above zero.
    pub(super) fn positive_duration(&self, name: &str) -> Result<Option<Duration>, Refused> {
        match self.duration(name)? {
            None => Ok(None),
            Some(ms) => match u64::try_from(ms) {
                Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
                _ => Err(Refused::parameter(name, "must be above zero")),
            },
        }
    }

    /// How many at most; `None`: all.
    pub(super) fn limit(&self, name: &str) -> Result<Option<usize>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if number < 0 => Err(Refused::parameter(name, "limit must be non-negative")),
            Ok(number) => Ok(usize::try_from(number).ok().filter(|limit| *limit > 0)),
            Err(_) => {
                Err(Refused::parameter(name, format!("cannot parse {text:?} to a whole number")))
            }
        }
    }
}

fn parse_time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return to_ms(seconds);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
fn to_ms(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    (ms.abs() < MAX_TIME_MS as f64).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_iso() {
        assert_eq!(parse_time("1435781451.781"), Some(1_435_781_451_781));
        assert_eq!(parse_time("2015-07-01T20:10:51.781Z"), Some(1_435_781_451_781));
        assert_eq!(parse_time("2015-07-01T22:10:51.781+02:00"), Some(1_435_781_451_781));
        for wrong in ["", "now", "NaN", "1e300", "2015-07-01"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parameters_are_read_by_name() {
        let mut params = Params::default();
        params.add(b"match[]=up&match%5B%5D=a%7Bb%3D%22c%22%7D&limit=0&step=1m&t=5").unwrap();
        assert_eq!(params.all("match[]").collect::<Vec<_>>(), ["up", "a{b=\"c\"}"]);
        assert_eq!(params.limit("limit").unwrap(), None);
        assert_eq!(params.duration("step").unwrap(), Some(60_000));
        assert_eq!(params.duration("t").unwrap(), Some(5000));
        params.add(b"bad=-1").unwrap();
        let message = params.limit("bad").unwrap_err().message;
        assert_eq!(message, "invalid parameter \"bad\": limit must be non-negative");
    }
}

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

    /// The same; its refusal names the parameter twice, as Prometheus' does.
    pub(super) fn named_time(&self, name: &str) -> Result<Option<i64>, Refused> {
        self.time(name).map_err(|_| {
            let text = self.get(name).unwrap_or_default();
            let problem = format!(
                "Invalid time value for '{name}': cannot parse {text:?} to a valid timestamp"
            );
            Refused::parameter(name, problem)
        })
    }

    pub(super) fn required_time(&self, name: &str) -> Result<i64, Refused> {
        self.time(name)?
            .ok_or_else(|| Refused::parameter(name, "cannot parse \"\" to a valid timestamp"))
    }

    /// Milliseconds, from seconds or from a duration such as `1m30s`.
    pub(super) fn duration(&self, name: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        parse_length(text).map(Some).map_err(|problem| Refused::parameter(name, problem))
    }

    /// How far back a sample counts: nothing where the setting decides, as zero lets it.
    pub(super) fn lookback(&self) -> Result<Option<Duration>, Refused> {
        let Some(text) = self.get("lookback_delta") else { return Ok(None) };
        let ms = parse_length(text)
            .map_err(|problem| bad(format!("error parsing lookback delta duration: {problem}")))?;
        Ok(u64::try_from(ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis))
    }

    /// How long a question may take; whoever has no time left is not answered.
    pub(super) fn timeout(&self) -> Result<Option<Duration>, Refused> {
        let Some(ms) = self.duration("timeout")? else { return Ok(None) };
        match u64::try_from(ms) {
            Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
            _ => Err(Refused::new(ErrorKind::Timeout, "query timed out in query execution")),
        }
    }

    /// How many at most; `None`: all.
    pub(super) fn limit(&self, name: &str) -> Result<Option<usize>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if number < 0 => Err(Refused::parameter(name, "limit must be non-negative")),
            Ok(number) => Ok(usize::try_from(number).ok().filter(|limit| *limit > 0)),
            Err(_) => {
                let problem = format!("strconv.Atoi: parsing {text:?}: invalid syntax");
                Err(Refused::parameter(name, problem))
            }
        }
    }

    /// A whole number that is refused in these words.
    pub(super) fn whole(&self, name: &str, problem: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| bad(problem.to_owned()))
    }
}

/// The first and the last moment of Go's calendar, as clients write them that mean all of time.
const FIRST: &str = "-292273086-05-16T16:47:06Z";
const LAST: &str = "292277025-08-18T07:12:54.999999999Z";

/// What is further away than [`MAX_TIME_MS`] is as far as that.
fn parse_time(text: &str) -> Option<i64> {
    match text {
        FIRST => return Some(-MAX_TIME_MS),
        LAST => return Some(MAX_TIME_MS),
        _ => {}
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (!seconds.is_nan()).then(|| to_ms(seconds));
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn parse_length(text: &str) -> Result<i64, String> {
    /// Durations of Go are nanoseconds in 64 bits.
    const MAX_SECONDS: f64 = i64::MAX as f64 / 1e9;
    let problem = || format!("cannot parse {text:?} to a valid duration");
    match text.parse::<f64>() {
        Ok(seconds) if seconds.abs() > MAX_SECONDS => {
            Err(format!("{}. It overflows int64", problem()))
        }
        Ok(seconds) if !seconds.is_nan() => Ok(to_ms(seconds)),
        Ok(_) => Err(problem()),
        Err(_) => barograph_promql::parse_duration(text).map_err(|_| problem()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "casts end at the bounds, as is wanted")]
fn to_ms(seconds: f64) -> i64 {
    let ms = (seconds * 1000.0).round();
    (ms as i64).clamp(-MAX_TIME_MS, MAX_TIME_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_iso() {
        assert_eq!(parse_time("1435781451.781"), Some(1_435_781_451_781));
        assert_eq!(parse_time("2015-07-01T20:10:51.781Z"), Some(1_435_781_451_781));
        assert_eq!(parse_time("2015-07-01T22:10:51.781+02:00"), Some(1_435_781_451_781));
        for wrong in ["", "now", "NaN", "2015-07-01"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        for first in [FIRST, "-9223309901257974", "-1e300", "-Inf"] {
            assert_eq!(parse_time(first), Some(-MAX_TIME_MS), "{first}");
        }
        for last in [LAST, "9223309901257974", "1e300", "+Inf"] {
            assert_eq!(parse_time(last), Some(MAX_TIME_MS), "{last}");
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

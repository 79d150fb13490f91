//! In which forms pages are asked for, and in which they are read.

use barograph_wire::text::{Escaping, Format};

/// How a job asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asking {
    /// The header `Accept`.
    pub(crate) accept: String,
    /// The form of answers whose type is none that is known, or missing.
    pub(crate) fallback: Option<Format>,
}

/// A format in one of its versions.
struct Protocol {
    /// Prometheus' name.
    name: &'static str,
    media_type: &'static str,
    format: Format,
    /// Whether names that older readers cannot take may come in quotes.
    has_quotes: bool,
}

/// Best first.
const PROTOCOLS: [Protocol; 4] = [
    Protocol {
        name: "OpenMetricsText1.0.0",
        media_type: "application/openmetrics-text;version=1.0.0",
        format: Format::OpenMetrics,
        has_quotes: true,
    },
    Protocol {
        name: "OpenMetricsText0.0.1",
        media_type: "application/openmetrics-text;version=0.0.1",
        format: Format::OpenMetrics,
        has_quotes: false,
    },
    Protocol {
        name: "PrometheusText1.0.0",
        media_type: "text/plain;version=1.0.0",
        format: Format::Prometheus,
        has_quotes: true,
    },
    Protocol {
        name: "PrometheusText0.0.4",
        media_type: "text/plain;version=0.0.4",
        format: Format::Prometheus,
        has_quotes: false,
    },
];

/// Prometheus' name of the format that is known and not read.
const PROTOBUF: &str = "PrometheusProto";

impl Asking {
    /// From Prometheus' `metric_name_validation_scheme`, `metric_name_escaping_scheme`,
    /// `scrape_protocols` and `fallback_scrape_protocol`.
    pub(super) fn new(
        validation: Option<&str>,
        escaping: Option<&str>,
        protocols: &[String],
        fallback: Option<&str>,
    ) -> Result<Self, String> {
        let usual = match validation.unwrap_or_default() {
            "" | "utf8" => Escaping::AllowUtf8,
            "legacy" => Escaping::Underscores,
            other => {
                return Err(format!(
                    "`metric_name_validation_scheme` is `{other}`, but must be `utf8` or `legacy`"
                ));
            }
        };
        let escaping = match escaping.filter(|name| !name.is_empty()) {
            None => usual,
            Some(name) => Escaping::named(name).ok_or_else(|| {
                format!(
                    "`metric_name_escaping_scheme` is `{name}`, but must be one of {}",
                    list(Escaping::names())
                )
            })?,
        };
        let fallback = fallback.filter(|name| !name.is_empty());
        let fallback = fallback.map(|name| {
            let one = named(name).ok_or_else(|| unknown("fallback_scrape_protocol", name))?;
            Ok::<_, String>(one.format)
        });
        let accept = accept(&wanted(protocols)?, escaping);
        Ok(Self { accept, fallback: fallback.transpose()? })
    }

    /// The form of an answer.
    pub(super) fn format(&self, content_type: &str) -> Option<Format> {
        /// Of [`PROTOBUF`]: bytes are no text, whatever the fallback.
        const BYTES: &str = "application/vnd.google.protobuf";
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match self.fallback {
            Some(fallback) if media_type.is_empty() => Some(fallback),
            _ => Format::of_content_type(content_type)
                .or_else(|| self.fallback.filter(|_| !media_type.eq_ignore_ascii_case(BYTES))),
        }
    }
}

fn named(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|one| one.name == name)
}

fn unknown(key: &str, name: &str) -> String {
    let names = list(PROTOCOLS.iter().rev().map(|one| one.name));
    format!("`{key}` is `{name}`, but must be one of {names}")
}

/// What is asked for, best first: all when nothing is said.
fn wanted(names: &[String]) -> Result<Vec<&'static Protocol>, String> {
    const KEY: &str = "scrape_protocols";
    let mut found: Vec<&Protocol> = Vec::new();
    for name in names.iter().filter(|name| *name != PROTOBUF) {
        let one = named(name).ok_or_else(|| unknown(KEY, name))?;
        if found.iter().any(|other| other.name == one.name) {
            return Err(format!("`{KEY}` has `{name}` twice"));
        }
        found.push(one);
    }
    match (names, &found[..]) {
        ([], _) => Ok(PROTOCOLS.iter().collect()),
        (_, []) => Err(format!("`{KEY}` has only `{PROTOBUF}`, which is not read here")),
        _ => Ok(found),
    }
}

/// The header `Accept`.
fn accept(protocols: &[&Protocol], escaping: Escaping) -> String {
    let offer = |(quality, one): (usize, &&Protocol)| {
        let escaping =
            if one.has_quotes { format!(";escaping={}", escaping.as_str()) } else { String::new() };
        format!("{}{escaping};q=0.{quality},", one.media_type)
    };
    let last = protocols.len() + 1;
    let offers = protocols.iter().enumerate();
    let offers: String = offers.map(|(index, one)| offer((last - index, one))).collect();
    format!("{offers}*/*;q=0.1")
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_counts_where_the_type_says_nothing() {
        let strict = Asking::new(None, None, &[], None).unwrap();
        let lenient = Asking::new(None, None, &[], Some("OpenMetricsText1.0.0")).unwrap();
        let (text, open) = (Some(Format::Prometheus), Some(Format::OpenMetrics));
        for (content_type, strictly, leniently) in [
            ("", text, open),
            ("application/octet-stream", None, open),
            ("text/html; charset=utf-8", None, open),
            ("text/plain; version=0.0.4", text, text),
            ("application/openmetrics-text; version=1.0.0", open, open),
            ("application/vnd.google.protobuf; proto=x", None, None),
        ] {
            assert_eq!(strict.format(content_type), strictly, "{content_type}");
            assert_eq!(lenient.format(content_type), leniently, "{content_type}");
        }
    }

    fn protocols(names: &[&str]) -> Result<String, String> {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        Asking::new(None, None, &names, None).map(|asking| asking.accept)
    }

    #[test]
    fn names_are_asked_for_as_they_are_wanted() {
        let accept =
            |validation, escaping| Asking::new(validation, escaping, &[], None).unwrap().accept;
        let usual = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                     application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                     text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(accept(None, None), usual);
        assert!(accept(Some("legacy"), None).contains("escaping=underscores"));
        assert!(accept(Some("legacy"), Some("values")).contains("escaping=values"));
    }

    #[test]
    fn formats_are_asked_for_in_the_order_that_is_wanted() {
        let some = protocols(&["PrometheusProto", "PrometheusText0.0.4", "OpenMetricsText0.0.1"]);
        assert_eq!(
            some.unwrap(),
            "text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=0.0.1;q=0.2,\
             */*;q=0.1"
        );
        for (names, said) in [
            (&["PrometheusText"][..], "`PrometheusText`, but must be one of `PrometheusText0.0.4`"),
            (&["PrometheusText0.0.4", "PrometheusText0.0.4"], "`PrometheusText0.0.4` twice"),
            (&["PrometheusProto"], "only `PrometheusProto`, which is not read"),
        ] {
            let error = protocols(names).unwrap_err();
            assert!(error.starts_with("`scrape_protocols`") && error.contains(said), "{error}");
        }
    }
}

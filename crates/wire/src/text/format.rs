//! Which of the formats a page is in, and which of them a reader wants.

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Versions 0.0.4 and 1.0.0, which differ in what names may hold.
    Prometheus,
    /// Versions 0.0.1 and 1.0.0.
    OpenMetrics,
}

/// How names that older readers cannot take are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// As they are, in quotes.
    AllowUtf8,
    /// Each character that is not allowed becomes `_`.
    Underscores,
    /// Dots become `_dot_`, underscores `__`.
    Dots,
    /// `U__` before the name, and each character that is not allowed as its number.
    Values,
}

impl Escaping {
    const ALL: [(&'static str, Self); 4] = [
        ("allow-utf-8", Self::AllowUtf8),
        ("underscores", Self::Underscores),
        ("dots", Self::Dots),
        ("values", Self::Values),
    ];

    /// What headers and settings call them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, one)| *one)
    }

    /// What headers call it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("underscores", |(name, _)| name)
    }
}

impl Format {
    /// From an answer's `Content-Type`. Without one it is Prometheus' format; nothing if the
    /// answer is something else, such as a page for people.
    pub fn of_content_type(header: &str) -> Option<Self> {
        let media_type = header.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => Some(Self::OpenMetrics),
            "" | "text/plain" | "text/*" | "*/*" => Some(Self::Prometheus),
            _ => None,
        }
    }
}

/// What a reader gets, by its `Accept` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    pub format: Format,
    pub escaping: Escaping,
    /// Prometheus' format in version 1.0.0 says so, since it may hold names in quotes.
    new_version: bool,
}

impl Accept {
    /// The plain old format, which everybody reads.
    const DEFAULT: Self =
        Self { format: Format::Prometheus, escaping: Escaping::Underscores, new_version: false };

    /// Takes the offer with the largest `q`, the first of equals. Who accepts neither format
    /// gets the plain old one.
    pub fn choose(header: &str) -> Self {
        let mut best = (0.0, Self::DEFAULT);
        for offer in header.split(',').take(32) {
            if let Some((q, accept)) = Self::offered(offer)
                && q > best.0
            {
                best = (q, accept);
            }
        }
        best.1
    }

    fn offered(offer: &str) -> Option<(f64, Self)> {
        let mut parts = offer.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut q, mut version, mut escaping) = (1.0, "", Escaping::Underscores);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => q = value.parse().unwrap_or(0.0),
                "version" => version = value,
                "escaping" => {
                    escaping = Escaping::named(value).unwrap_or(Escaping::Underscores);
                }
                _ => {}
            }
        }
        let (format, new_version) = match (media_type.as_str(), version) {
            ("application/openmetrics-text", "" | "0.0.1") => (Format::OpenMetrics, false),
            ("application/openmetrics-text", "1.0.0") => (Format::OpenMetrics, true),
            ("text/plain", "1.0.0") => (Format::Prometheus, true),
            ("text/plain", "" | "0.0.4") | ("text/*" | "*/*", _) => (Format::Prometheus, false),
            _ => return None,
        };
        // Names in quotes came with these versions.
        let escaping = if new_version { escaping } else { Escaping::Underscores };
        Some((q, Self { format, escaping, new_version }))
    }

    /// The answer's `Content-Type`.
    pub fn content_type(self) -> String {
        let escaping = self.escaping.as_str();
        match (self.format, self.new_version) {
            (Format::Prometheus, false) => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
            (Format::Prometheus, true) => {
                format!("text/plain; version=1.0.0; charset=utf-8; escaping={escaping}")
            }
            (Format::OpenMetrics, new) => {
                let version = if new { "1.0.0" } else { "0.0.1" };
                let media_type = "application/openmetrics-text";
                format!("{media_type}; version={version}; charset=utf-8; escaping={escaping}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_3_gets_openmetrics_with_names_as_they_are() {
        let accept = Accept::choose(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,\
             */*;q=0.1",
        );
        assert_eq!((accept.format, accept.escaping), (Format::OpenMetrics, Escaping::AllowUtf8));
        assert_eq!(
            accept.content_type(),
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
        );
    }

    #[test]
    fn browsers_and_silent_readers_get_the_plain_old_format() {
        let plain = "text/plain; version=0.0.4; charset=utf-8";
        for header in ["", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png", "a;q=x,,;"] {
            assert_eq!(Accept::choose(header).content_type(), plain, "{header}");
        }
    }

    #[test]
    fn what_is_no_metrics_page_has_no_format() {
        assert_eq!(Format::of_content_type("text/html; charset=utf-8"), None);
        assert_eq!(Format::of_content_type(""), Some(Format::Prometheus));
        let header = "Application/OpenMetrics-Text; version=1.0.0";
        assert_eq!(Format::of_content_type(header), Some(Format::OpenMetrics));
    }
}

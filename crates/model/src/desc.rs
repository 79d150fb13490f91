//! What a metric is: its name, kind, unit and meaning.

/// How a metric's values relate to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A level: any value can follow any other.
    Gauge,
    /// A running total that only grows, or starts again at zero.
    Counter,
}

impl Kind {
    /// The word of the Prometheus text format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// What a metric is counted in. A counter's unit is that of its total, not of its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A plain number of things.
    Count,
    /// Things per second.
    PerSecond,
    Bytes,
    BytesPerSecond,
    /// 2^20 bytes.
    Mebibytes,
    /// 2^30 bytes.
    Gibibytes,
    BitsPerSecond,
    Seconds,
    /// Seconds since 1970-01-01 UTC.
    UnixSeconds,
    /// 0 to 100, or above where several add up.
    Percent,
    /// 0 to 1.
    Ratio,
    Hertz,
    Megahertz,
    Kelvin,
    Celsius,
    Volts,
    Amperes,
    Watts,
    /// Of a fan.
    RevolutionsPerMinute,
}

impl Unit {
    /// The name used by the interfaces and the reference page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::PerSecond => "per_second",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes_per_second",
            Self::Mebibytes => "mebibytes",
            Self::Gibibytes => "gibibytes",
            Self::BitsPerSecond => "bits_per_second",
            Self::Seconds => "seconds",
            Self::UnixSeconds => "unix_seconds",
            Self::Percent => "percent",
            Self::Ratio => "ratio",
            Self::Hertz => "hertz",
            Self::Megahertz => "megahertz",
            Self::Kelvin => "kelvin",
            Self::Celsius => "celsius",
            Self::Volts => "volts",
            Self::Amperes => "amperes",
            Self::Watts => "watts",
            Self::RevolutionsPerMinute => "revolutions_per_minute",
        }
    }

    /// What stands behind a number for people; empty for plain numbers.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Count | Self::Ratio => "",
            Self::PerSecond => "/s",
            Self::Bytes => "B",
            Self::BytesPerSecond => "B/s",
            Self::Mebibytes => "MiB",
            Self::Gibibytes => "GiB",
            Self::BitsPerSecond => "bit/s",
            Self::Seconds | Self::UnixSeconds => "s",
            Self::Percent => "%",
            Self::Hertz => "Hz",
            Self::Megahertz => "MHz",
            Self::Kelvin => "K",
            Self::Celsius => "°C",
            Self::Volts => "V",
            Self::Amperes => "A",
            Self::Watts => "W",
            Self::RevolutionsPerMinute => "rpm",
        }
    }
}

/// A metric as its source declares it. The samples of one metric differ only in their labels.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Desc {
    /// Prometheus' rules: `[a-zA-Z_:][a-zA-Z0-9_:]*`, base unit last, counters end in `_total`.
    /// The headline metrics keep the names that people already use in thresholds.
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    /// One sentence for people.
    pub help: &'static str,
    /// The labels that a sample may carry, beside `host`.
    pub labels: &'static [&'static str],
}

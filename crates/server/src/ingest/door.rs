//! Where samples come in, and why some do not.

/// Through what samples come in. A sender's budget is its own at each door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// Programs that are run by schedule, in the convention of Nagios' plugins.
    Check,
    /// OpenTelemetry over HTTP.
    Otlp,
    /// JSON lines or the line protocol of InfluxDB by a plain POST.
    Push,
    RemoteWrite,
    Scrape,
    StatsD,
    /// Files in the exposition format in a watched folder.
    Textfile,
}

impl Door {
    /// The name in interfaces and in Barograph's own metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Otlp => "otlp",
            Self::Push => "push",
            Self::RemoteWrite => "remote_write",
            Self::Scrape => "scrape",
            Self::StatsD => "statsd",
            Self::Textfile => "textfile",
        }
    }
}

/// Why a sample was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its source already has as many series as it may have.
    SeriesBudget,
    /// Its source already began as many series today as it may begin.
    NewSeriesBudget,
    /// The store holds as many series as it may hold.
    StoreSeries,
    /// Its labels are not a series' name: one is empty, given twice, too long, or not UTF-8.
    Labels,
    /// Further ahead than the window.
    Future,
    /// Older than the store's window.
    Late,
    /// Of a time whose samples have expired.
    Expired,
    /// Of a kind that is not stored, such as a native histogram.
    Unsupported,
    /// It cannot be read.
    Malformed,
}

impl Reason {
    pub(crate) const ALL: [Self; 9] = [
        Self::SeriesBudget,
        Self::NewSeriesBudget,
        Self::StoreSeries,
        Self::Labels,
        Self::Future,
        Self::Late,
        Self::Expired,
        Self::Unsupported,
        Self::Malformed,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// The name in interfaces and in Barograph's own metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SeriesBudget => "series_budget",
            Self::NewSeriesBudget => "new_series_budget",
            Self::StoreSeries => "store_series",
            Self::Labels => "labels",
            Self::Future => "future",
            Self::Late => "late",
            Self::Expired => "expired",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// For people, after "n samples".
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::SeriesBudget => "are of new series beyond the budget of this source",
            Self::NewSeriesBudget => "are of new series beyond today's budget of this source",
            Self::StoreSeries => "are of new series beyond what the store holds",
            Self::Labels => "have labels that cannot be a series' name",
            Self::Future => "are too far in the future",
            Self::Late => "are older than the store takes (`store.late_window`)",
            Self::Expired => "are of a time whose samples have expired (`store.keep_raw`)",
            Self::Unsupported => "are of a kind that is not stored",
            Self::Malformed => "cannot be read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_in_the_order_of_their_numbers() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
    }
}

//! PromQL's functions, by what they need.

/// A function of PromQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Func {
    /// Of each value alone.
    Map(MapFn),
    /// A part of the date that each value is, or the step's time.
    Date(DateFn),
    /// Of the samples in a range.
    Range(RangeFn),
    Absent,
    AbsentOverTime,
    HistogramFraction,
    HistogramQuantile,
    HistogramQuantiles,
    Info,
    LabelJoin,
    LabelReplace,
    /// The larger, or the smaller, of two scalars.
    Extreme {
        largest: bool,
    },
    Scalar,
    Sort {
        descending: bool,
    },
    SortByLabel {
        descending: bool,
    },
    StartTimestamp,
    Time,
    Timestamp,
    Vector,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapFn {
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Ceil,
    Clamp,
    ClampMax,
    ClampMin,
    Cos,
    Cosh,
    Deg,
    Exp,
    Floor,
    Ln,
    Log10,
    Log2,
    Rad,
    Round,
    Sgn,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateFn {
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    DaysInMonth,
    Hour,
    Minute,
    Month,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeFn {
    Avg,
    Changes,
    Count,
    Delta,
    Deriv,
    First,
    Idelta,
    Increase,
    Integral,
    Irate,
    Last,
    Mad,
    Max,
    Min,
    PredictLinear,
    Present,
    Quantile,
    Rate,
    Resets,
    Smooth,
    Stddev,
    Stdvar,
    Sum,
    TimeOfFirst,
    TimeOfLast,
    TimeOfMax,
    TimeOfMin,
}

/// In order of their names, which [`crate::FUNCTIONS`] describes.
pub(super) static FUNCS: &[(&str, Func)] = &[
    ("abs", Func::Map(MapFn::Abs)),
    ("absent", Func::Absent),
    ("absent_over_time", Func::AbsentOverTime),
    ("acos", Func::Map(MapFn::Acos)),
    ("acosh", Func::Map(MapFn::Acosh)),
    ("asin", Func::Map(MapFn::Asin)),
    ("asinh", Func::Map(MapFn::Asinh)),
    ("atan", Func::Map(MapFn::Atan)),
    ("atanh", Func::Map(MapFn::Atanh)),
    ("avg_over_time", Func::Range(RangeFn::Avg)),
    ("ceil", Func::Map(MapFn::Ceil)),
    ("changes", Func::Range(RangeFn::Changes)),
    ("clamp", Func::Map(MapFn::Clamp)),
    ("clamp_max", Func::Map(MapFn::ClampMax)),
    ("clamp_min", Func::Map(MapFn::ClampMin)),
    ("cos", Func::Map(MapFn::Cos)),
    ("cosh", Func::Map(MapFn::Cosh)),
    ("count_over_time", Func::Range(RangeFn::Count)),
    ("day_of_month", Func::Date(DateFn::DayOfMonth)),
    ("day_of_week", Func::Date(DateFn::DayOfWeek)),
    ("day_of_year", Func::Date(DateFn::DayOfYear)),
    ("days_in_month", Func::Date(DateFn::DaysInMonth)),
    ("deg", Func::Map(MapFn::Deg)),
    ("delta", Func::Range(RangeFn::Delta)),
    ("deriv", Func::Range(RangeFn::Deriv)),
    ("double_exponential_smoothing", Func::Range(RangeFn::Smooth)),
    ("exp", Func::Map(MapFn::Exp)),
    ("first_over_time", Func::Range(RangeFn::First)),
    ("floor", Func::Map(MapFn::Floor)),
    ("histogram_fraction", Func::HistogramFraction),
    ("histogram_quantile", Func::HistogramQuantile),
    ("histogram_quantiles", Func::HistogramQuantiles),
    ("hour", Func::Date(DateFn::Hour)),
    ("idelta", Func::Range(RangeFn::Idelta)),
    ("increase", Func::Range(RangeFn::Increase)),
    ("info", Func::Info),
    ("integral", Func::Range(RangeFn::Integral)),
    ("irate", Func::Range(RangeFn::Irate)),
    ("label_join", Func::LabelJoin),
    ("label_replace", Func::LabelReplace),
    ("last_over_time", Func::Range(RangeFn::Last)),
    ("ln", Func::Map(MapFn::Ln)),
    ("log10", Func::Map(MapFn::Log10)),
    ("log2", Func::Map(MapFn::Log2)),
    ("mad_over_time", Func::Range(RangeFn::Mad)),
    ("max_of", Func::Extreme { largest: true }),
    ("max_over_time", Func::Range(RangeFn::Max)),
    ("min_of", Func::Extreme { largest: false }),
    ("min_over_time", Func::Range(RangeFn::Min)),
    ("minute", Func::Date(DateFn::Minute)),
    ("month", Func::Date(DateFn::Month)),
    ("predict_linear", Func::Range(RangeFn::PredictLinear)),
    ("present_over_time", Func::Range(RangeFn::Present)),
    ("quantile_over_time", Func::Range(RangeFn::Quantile)),
    ("rad", Func::Map(MapFn::Rad)),
    ("rate", Func::Range(RangeFn::Rate)),
    ("resets", Func::Range(RangeFn::Resets)),
    ("round", Func::Map(MapFn::Round)),
    ("scalar", Func::Scalar),
    ("sgn", Func::Map(MapFn::Sgn)),
    ("sin", Func::Map(MapFn::Sin)),
    ("sinh", Func::Map(MapFn::Sinh)),
    ("sort", Func::Sort { descending: false }),
    ("sort_by_label", Func::SortByLabel { descending: false }),
    ("sort_by_label_desc", Func::SortByLabel { descending: true }),
    ("sort_desc", Func::Sort { descending: true }),
    ("sqrt", Func::Map(MapFn::Sqrt)),
    ("start_timestamp", Func::StartTimestamp),
    ("stddev_over_time", Func::Range(RangeFn::Stddev)),
    ("stdvar_over_time", Func::Range(RangeFn::Stdvar)),
    ("sum_over_time", Func::Range(RangeFn::Sum)),
    ("tan", Func::Map(MapFn::Tan)),
    ("tanh", Func::Map(MapFn::Tanh)),
    ("time", Func::Time),
    ("timestamp", Func::Timestamp),
    ("ts_of_first_over_time", Func::Range(RangeFn::TimeOfFirst)),
    ("ts_of_last_over_time", Func::Range(RangeFn::TimeOfLast)),
    ("ts_of_max_over_time", Func::Range(RangeFn::TimeOfMax)),
    ("ts_of_min_over_time", Func::Range(RangeFn::TimeOfMin)),
    ("vector", Func::Vector),
    ("year", Func::Date(DateFn::Year)),
];

impl Func {
    /// What evaluates the function of that name. Those that the plan itself answers, such as `pi`,
    /// are none of these.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let place = FUNCS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
        FUNCS.get(place).map(|(_, func)| *func)
    }

    pub(crate) fn is_scalar(self) -> bool {
        matches!(self, Self::Scalar | Self::Time | Self::Extreme { .. })
    }

    /// Whether the value depends on the step's time even where no argument does.
    pub(crate) fn reads_time(self) -> bool {
        matches!(
            self,
            Self::Date(_) | Self::Time | Self::Timestamp | Self::Range(RangeFn::PredictLinear)
        )
    }
}

impl RangeFn {
    /// Whether only the first and the last samples of a window matter, and where a counter fell.
    pub(crate) fn looks_at_ends(self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::Delta
                | Self::First
                | Self::Idelta
                | Self::Increase
                | Self::Irate
                | Self::Last
                | Self::Present
                | Self::Rate
                | Self::TimeOfFirst
                | Self::TimeOfLast
        )
    }

    /// Whether the result still is of the metric that the samples are of.
    pub(crate) fn keeps_name(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

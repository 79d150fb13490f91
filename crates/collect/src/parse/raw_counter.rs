//! What Windows' performance counters give: raw numbers of a kind, and how each kind becomes the
//! value that people read. The kinds are those of `winperf.h`.

/// One instance's numbers at one collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawCounter {
    /// What is counted.
    pub first: i64,
    /// The time of counting, or what `first` is a share of: the kind decides.
    pub second: i64,
    /// Of kinds that sum over several sources: how many.
    pub sources: u32,
}

/// One instance of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawInstance {
    /// Empty for objects that exist once; several may have one name.
    pub name: String,
    pub raw: RawCounter,
}

/// What a counter is, as far as its values need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterFacts {
    /// The number that `winperf.h` gives the counter's kind.
    pub kind: u32,
    /// Ticks in a second of its time base.
    pub frequency: i64,
}

/// What a raw number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterKind {
    recipe: Recipe,
    /// `first` is a total of 32 bits that restarts from zero.
    is_narrow: bool,
}

/// How a value is made, in `winperf.h`'s terms: N is `first`, T or B is `second`, F the ticks of
/// a second, d a change between two collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipe {
    /// N
    AsIs,
    /// dN
    Change,
    /// dN / (dT / F)
    PerSecond,
    /// 100 dN / dT
    Percent,
    /// 100 (1 - dN / dT)
    InversePercent,
    /// 100 dN / dT / sources
    PercentOfSources,
    /// 100 (1 - dN / dT / sources)
    InversePercentOfSources,
    /// dN / dT
    Ratio,
    /// (dN / F) / dB
    AverageSeconds,
    /// 100 N / B
    Fraction,
    /// (T - N) / F
    Elapsed,
}

/// The kinds, by the number that Windows gives them.
static KINDS: &[(u32, Recipe)] = &[
    (0x0000_0000, Recipe::AsIs),                    // RAWCOUNT_HEX
    (0x0000_0100, Recipe::AsIs),                    // LARGE_RAWCOUNT_HEX
    (0x0001_0000, Recipe::AsIs),                    // RAWCOUNT
    (0x0001_0100, Recipe::AsIs),                    // LARGE_RAWCOUNT
    (0x0040_0400, Recipe::Change),                  // DELTA
    (0x0040_0500, Recipe::Change),                  // LARGE_DELTA
    (0x0041_0400, Recipe::Ratio),                   // SAMPLE_COUNTER
    (0x0045_0400, Recipe::Ratio),                   // QUEUELEN
    (0x0045_0500, Recipe::Ratio),                   // LARGE_QUEUELEN
    (0x0055_0500, Recipe::Ratio),                   // 100NS_QUEUELEN
    (0x0065_0500, Recipe::Ratio),                   // OBJ_TIME_QUEUELEN
    (0x1041_0400, Recipe::PerSecond),               // COUNTER
    (0x1041_0500, Recipe::PerSecond),               // BULK_COUNT
    (0x2002_0400, Recipe::Fraction),                // RAW_FRACTION
    (0x2002_0500, Recipe::Fraction),                // LARGE_RAW_FRACTION
    (0x2041_0500, Recipe::Percent),                 // TIMER
    (0x2047_0500, Recipe::Percent),                 // PRECISION_SYSTEM_TIMER
    (0x2051_0500, Recipe::Percent),                 // 100NSEC_TIMER
    (0x2057_0500, Recipe::Percent),                 // PRECISION_100NS_TIMER
    (0x2061_0500, Recipe::Percent),                 // OBJ_TIME_TIMER
    (0x2067_0500, Recipe::Percent),                 // PRECISION_OBJECT_TIMER
    (0x20C2_0400, Recipe::Percent),                 // SAMPLE_FRACTION
    (0x2141_0500, Recipe::InversePercent),          // TIMER_INV
    (0x2151_0500, Recipe::InversePercent),          // 100NSEC_TIMER_INV
    (0x2241_0500, Recipe::PercentOfSources),        // MULTI_TIMER
    (0x2251_0500, Recipe::PercentOfSources),        // 100NSEC_MULTI_TIMER
    (0x2341_0500, Recipe::InversePercentOfSources), // MULTI_TIMER_INV
    (0x2351_0500, Recipe::InversePercentOfSources), // 100NSEC_MULTI_TIMER_INV
    (0x3002_0400, Recipe::AverageSeconds),          // AVERAGE_TIMER
    (0x3024_0500, Recipe::Elapsed),                 // ELAPSED_TIME
    (0x4002_0500, Recipe::Ratio),                   // AVERAGE_BULK
];

/// Of a kind's number: the size of what is counted; zero means 32 bits.
const SIZE_BITS: u32 = 0x300;

impl CounterKind {
    /// The kind that Windows gives this number, if its values can be made.
    pub fn from_code(code: u32) -> Option<Self> {
        let (_, recipe) = KINDS.iter().find(|(known, _)| *known == code)?;
        Some(Self { recipe: *recipe, is_narrow: code & SIZE_BITS == 0 })
    }

    /// What its values are like, in the word of the interfaces.
    pub fn as_str(self) -> &'static str {
        match self.recipe {
            Recipe::AsIs | Recipe::Change => "gauge",
            Recipe::PerSecond => "rate",
            Recipe::Percent
            | Recipe::InversePercent
            | Recipe::PercentOfSources
            | Recipe::InversePercentOfSources
            | Recipe::Fraction => "percent",
            Recipe::Ratio | Recipe::AverageSeconds => "average",
            Recipe::Elapsed => "elapsed",
        }
    }

    /// Whether a value comes from two collections and not from one.
    pub fn needs_two(self) -> bool {
        !matches!(self.recipe, Recipe::AsIs | Recipe::Fraction | Recipe::Elapsed)
    }

    /// The value at `later`; `frequency` is the ticks in a second of the counter's time base.
    ///
    /// Absent where none can be told: without an earlier collection, over no time, after a total
    /// or a clock went backwards.
    pub fn cook(
        self,
        frequency: i64,
        earlier: Option<&RawCounter>,
        later: &RawCounter,
    ) -> Option<f64> {
        let value = match self.recipe {
            Recipe::AsIs => later.first as f64,
            Recipe::Fraction => 100.0 * over(later.first as f64, later.second)?,
            Recipe::Elapsed => {
                let ticks = later.second.checked_sub(later.first).filter(|ticks| *ticks >= 0)?;
                over(ticks as f64, frequency)?
            }
            of_change => {
                let earlier = earlier?;
                let change = self.change(earlier, later)?;
                let second = later.second.checked_sub(earlier.second)?;
                of_two(of_change, change, second, frequency, later.sources)?
            }
        };
        value.is_finite().then_some(value)
    }

    fn change(self, earlier: &RawCounter, later: &RawCounter) -> Option<f64> {
        if self.is_narrow {
            // The lower half of each total is all that it has.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as said")]
            let (earlier, later) = (earlier.first as u32, later.first as u32);
            return Some(later.wrapping_sub(earlier).into());
        }
        later.first.checked_sub(earlier.first).filter(|change| *change >= 0).map(|it| it as f64)
    }
}

fn of_two(recipe: Recipe, change: f64, second: i64, frequency: i64, sources: u32) -> Option<f64> {
    if recipe == Recipe::Change {
        return Some(change);
    }
    let ratio = over(change, second)?;
    let of_sources = || over(ratio, sources.into());
    Some(match recipe {
        Recipe::PerSecond => change / over(second as f64, frequency)?,
        Recipe::Percent => 100.0 * ratio,
        // A tick that is counted late makes it negative.
        Recipe::InversePercent => (100.0 * (1.0 - ratio)).max(0.0),
        Recipe::PercentOfSources => 100.0 * of_sources()?,
        Recipe::InversePercentOfSources => (100.0 * (1.0 - of_sources()?)).max(0.0),
        Recipe::AverageSeconds => over(ratio, frequency)?,
        Recipe::AsIs | Recipe::Change | Recipe::Ratio | Recipe::Fraction | Recipe::Elapsed => ratio,
    })
}

fn over(numerator: f64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| numerator / denominator as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREQUENCY: i64 = 10_000_000;

    fn raw(first: i64, second: i64) -> RawCounter {
        RawCounter { first, second, sources: 1 }
    }

    #[track_caller]
    fn check(code: u32, earlier: (i64, i64), later: (i64, i64), expected: Option<f64>) {
        let kind = CounterKind::from_code(code).unwrap();
        let earlier = raw(earlier.0, earlier.1);
        let value = kind.cook(FREQUENCY, Some(&earlier), &raw(later.0, later.1));
        assert_eq!(value, expected);
        if kind.needs_two() {
            assert_eq!(kind.cook(FREQUENCY, None, &raw(later.0, later.1)), None);
        }
    }

    #[test]
    fn counts_as_they_are_need_one_collection() {
        check(0x0001_0100, (0, 0), (42, 0), Some(42.0));
        check(0x2002_0400, (0, 0), (30, 120), Some(25.0));
        check(0x2002_0400, (0, 0), (30, 0), None);
        check(0x3024_0500, (0, 0), (50_000_000, 80_000_000), Some(3.0));
        check(0x3024_0500, (0, 0), (80_000_000, 50_000_000), None);
    }

    #[test]
    fn rates_are_per_second_of_the_time_base() {
        check(0x1041_0500, (100, 0), (150, 20_000_000), Some(25.0));
        check(0x0040_0500, (100, 0), (150, 0), Some(50.0));
    }

    #[test]
    fn a_narrow_total_wraps_and_a_wide_one_that_falls_has_no_value() {
        check(0x1041_0400, (4_294_967_290, 0), (4, FREQUENCY), Some(10.0));
        check(0x1041_0500, (4_294_967_290, 0), (4, FREQUENCY), None);
    }

    #[test]
    fn shares_are_percentages_of_the_time_and_may_pass_a_hundred() {
        check(0x2051_0500, (0, 0), (2_500_000, 10_000_000), Some(25.0));
        check(0x2051_0500, (0, 0), (40_000_000, 10_000_000), Some(400.0));
        check(0x2151_0500, (0, 0), (2_500_000, 10_000_000), Some(75.0));
        check(0x2151_0500, (0, 0), (10_000_100, 10_000_000), Some(0.0));
        check(0x2057_0500, (10, 100), (30, 140), Some(50.0));
    }

    #[test]
    fn averages_are_per_event_and_absent_without_one() {
        check(0x3002_0400, (0, 5), (30_000_000, 15), Some(0.3));
        check(0x3002_0400, (0, 5), (0, 5), None);
        check(0x4002_0500, (0, 5), (4096, 7), Some(2048.0));
        check(0x0055_0500, (0, 0), (30_000_000, 10_000_000), Some(3.0));
    }

    #[test]
    fn a_share_of_several_sources_is_their_mean() {
        let kind = CounterKind::from_code(0x2251_0500).unwrap();
        let later = RawCounter { first: 20, second: 10, sources: 4 };
        assert_eq!(kind.cook(FREQUENCY, Some(&raw(0, 0)), &later), Some(50.0));
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_no_value() {
        check(0x1041_0500, (1, 50), (2, 50), None);
        check(0x2151_0500, (1, 50), (2, 40), None);
    }

    #[test]
    fn an_unknown_kind_is_unknown() {
        assert_eq!(CounterKind::from_code(0x0000_0B00), None);
    }

    proptest! {
        #[test]
        fn a_value_is_a_number_whatever_the_counter_says(
            kind in 0..KINDS.len(), frequency: i64,
            a: i64, b: i64, c: i64, d: i64, sources: u32,
        ) {
            let kind = CounterKind::from_code(KINDS[kind].0).unwrap();
            let later = RawCounter { first: c, second: d, sources };
            let value = kind.cook(frequency, Some(&raw(a, b)), &later);
            prop_assert!(value.is_none_or(f64::is_finite));
        }
    }
}

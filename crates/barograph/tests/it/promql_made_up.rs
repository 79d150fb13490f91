//! Made-up questions, thousands of them if one likes, to Barograph and to a real Prometheus.
//!
//! What Prometheus 3 does otherwise than the 2 that Debian has is not asked: ranges do not end on
//! samples, names do not tell series apart where functions take them away, comparisons that leave
//! samples out do not meet several partners, and nothing is ranked or spread that is equal or not
//! a number. Nor is anything rounded whose last digits may differ.

use crate::promql::{Pair, START, assert_same_outcome, escaped};

/// A quarter of a second keeps their ends off the samples, and off the steps of subqueries.
const RANGES: &[&str] = &["34s250ms", "64s250ms", "124s250ms", "304s250ms"];
/// Short enough for nothing to look back to where the counters begin.
const OF_SUBQUERIES: &[&str] = &["34s250ms", "64s250ms"];
const LABELS: &[&str] = &["instance", "code", "le", "missing"];

/// The same questions for the same number.
struct Questions(u64);

impl Questions {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).unwrap()]
    }

    fn labels(&mut self) -> String {
        let count = self.below(3);
        (0..count).map(|_| self.pick(LABELS)).collect::<Vec<_>>().join(", ")
    }

    fn selector(&mut self, metrics: &[&str]) -> String {
        let metric = self.pick(metrics);
        let matchers = [
            "",
            "",
            "{instance=\"a\"}",
            "{instance!=\"b\"}",
            "{instance=~\"a|c\"}",
            "{code=~\"[45]..\"}",
            "{code!~\"4.*\"}",
            "{le=\"0.5\"}",
            "{missing=\"\"}",
            "{missing=~\".+\"}",
        ];
        format!("{metric}{}", self.pick(&matchers))
    }

    fn shift(&mut self) -> String {
        match self.below(8) {
            0 => " offset 95s".to_owned(),
            1 => " offset -34s".to_owned(),
            2 => format!(" @ {}.5", START + 700 + i64::try_from(self.below(400)).unwrap()),
            3 => self.pick(&[" @ start()", " @ end()"]).to_owned(),
            _ => String::new(),
        }
    }

    /// An instant vector.
    fn vector(&mut self, depth: u64) -> String {
        if depth == 0 {
            let all = ["requests_total", "temperature", "latency_seconds_bucket"];
            return self.selector(&all) + &self.shift();
        }
        let depth = depth - 1;
        match self.below(12) {
            0..=2 => self.over_time(depth),
            3..=5 => self.aggregate(depth),
            6..=8 => self.binary(depth),
            9 if self.below(2) == 0 => {
                let functions = ["ceil", "floor", "sgn", "round"];
                format!("{}({} / 7)", self.pick(&functions), self.vector(0))
            }
            9 => {
                let functions = ["abs", "timestamp", "sqrt", "exp", "-"];
                format!("{}({})", self.pick(&functions), self.vector(depth))
            }
            10 => match self.below(4) {
                0 => format!("clamp({}, {}, {})", self.vector(depth), self.number(), self.number()),
                1 => format!("absent({})", self.vector(depth)),
                2 => format!(
                    "label_replace({}, \"{}\", \"x$1\", \"{}\", \"(.).*\")",
                    self.vector(depth),
                    self.pick(LABELS),
                    self.pick(LABELS)
                ),
                _ => format!(
                    "label_join({}, \"missing\", \"-\", \"instance\", \"code\")",
                    self.vector(depth)
                ),
            },
            _ => {
                let rates = "rate(latency_seconds_bucket[124s250ms])";
                let of = ["latency_seconds_bucket", rates, "sum by (le) (latency_seconds_bucket)"];
                format!(
                    "histogram_quantile({}, {})",
                    self.pick(&["0.5", "0.9", "0", "2"]),
                    self.pick(&of)
                )
            }
        }
    }

    fn number(&mut self) -> &'static str {
        self.pick(&["0", "1", "2", "-1", "0.5", "20", "NaN", "Inf", "pi()", "time()"])
    }

    fn over_time(&mut self, depth: u64) -> String {
        let range = self.pick(RANGES);
        // Prometheus 2 lets a range that stands still with `@` move where it takes a parameter.
        if self.below(3) == 0 {
            let counters = ["requests_total", "latency_seconds_bucket"];
            let function = self.pick(&["rate", "increase", "irate", "resets"]);
            return format!("{function}({}[{range}]{})", self.selector(&counters), self.shift());
        }
        let functions = [
            "avg_over_time",
            "sum_over_time",
            "min_over_time",
            "max_over_time",
            "count_over_time",
            "last_over_time",
            "present_over_time",
            "stddev_over_time",
            "changes",
            "delta",
            "idelta",
            "deriv",
        ];
        let function = self.pick(&functions);
        if self.below(3) > 0 {
            let all = ["requests_total", "temperature", "latency_seconds_bucket"];
            return format!("{function}({}[{range}]{})", self.selector(&all), self.shift());
        }
        let step = self.pick(&["7s", "15s", "30s"]);
        let range = self.pick(OF_SUBQUERIES);
        format!("{function}(({})[{range}:{step}])", self.vector(depth))
    }

    fn aggregate(&mut self, depth: u64) -> String {
        let by = match self.below(3) {
            0 => String::new(),
            1 => format!(" by ({})", self.labels()),
            _ => format!(" without ({})", self.labels()),
        };
        let inner = self.vector(depth);
        match self.below(8) {
            0 => format!("quantile{by} ({}, {inner})", self.pick(&["0.3", "0.9", "0", "1"])),
            1 => {
                let label = self.pick(&["v", "code"]);
                format!("count_values{by} (\"{label}\", round({}))", self.vector(0))
            }
            _ => {
                let op = self.pick(&["sum", "avg", "min", "max", "count", "group"]);
                format!("{op}{by} ({inner})")
            }
        }
    }

    fn binary(&mut self, depth: u64) -> String {
        let calculating = ["+", "-", "*", "/", "^"];
        let comparing = ["==", "!=", ">", "<", ">=", "<="];
        match self.below(6) {
            0 => {
                let op = if self.below(2) == 0 {
                    self.pick(&calculating).to_owned()
                } else {
                    format!("{} {}", self.pick(&comparing), self.pick(&["", "bool"]))
                };
                format!("({}) {op} {}", self.vector(depth), self.number())
            }
            1 => format!("{} {} ({})", self.number(), self.pick(&calculating), self.vector(depth)),
            2 => {
                let one = self.vector(depth);
                format!("({one}) {} ({one}) * 2", self.pick(&comparing))
            }
            3 => {
                let sum = format!("sum by (instance) ({})", self.vector(depth));
                let many = self.selector(&["requests_total", "latency_seconds_bucket"]);
                format!("{many} {} on (instance) group_left {sum}", self.pick(&calculating))
            }
            4 => {
                let on = self.pick(&["on", "ignoring"]);
                let labels = self.labels();
                let op = self.pick(&["and", "or", "unless"]);
                format!("({}) {op} {on} ({labels}) ({})", self.vector(depth), self.vector(depth))
            }
            _ => {
                let on = self.pick(&["on", "ignoring"]);
                let labels = self.labels();
                let op = self.pick(&calculating);
                format!("({}) {op} {on} ({labels}) ({})", self.vector(depth), self.vector(depth))
            }
        }
    }
}

/// How many; `BAROGRAPH_QUESTIONS` makes it more.
fn count() -> u64 {
    std::env::var("BAROGRAPH_QUESTIONS").map_or(400, |count| count.parse().unwrap())
}

#[test]
fn a_real_prometheus_answers_made_up_questions_alike() {
    let Some(pair) = Pair::start() else { return };
    let mut answered = 0;
    for number in 0..count() {
        let mut questions = Questions(number);
        let depth = 1 + questions.below(4);
        let query = escaped(&questions.vector(depth));
        let from = START + 850 + i64::try_from(questions.below(150)).unwrap();
        let to = from + i64::try_from(questions.below(200)).unwrap();
        let step = questions.pick(&["7", "10", "33"]);
        for path in [
            format!("/api/v1/query?query={query}&time={from}.5"),
            format!("/api/v1/query_range?query={query}&start={from}.5&end={to}.5&step={step}"),
        ] {
            let status = assert_same_outcome(pair.server.address, pair.prometheus, &path);
            answered += u64::from(status == 200);
        }
    }
    assert!(answered > count(), "{answered} answers to {} questions", 2 * count());
}

//! Clocks that jump, forward and back.

use super::*;

const HOUR_MS: i64 = 3_600_000;
const JUMPS_MS: [i64; 4] = [24 * HOUR_MS, -24 * HOUR_MS, HOUR_MS, -HOUR_MS];

impl Bench {
    fn jump(&self, by_ms: i64) {
        self.clock.set(self.clock.now_ms() + by_ms);
    }

    /// The only alert's.
    fn phase(&self) -> Phase {
        self.phases()[0].1
    }
}

#[test]
fn a_clock_that_jumps_tells_nobody_early_late_or_twice() {
    for jump_ms in JUMPS_MS {
        let bench = with_policy();
        for _ in 0..3 {
            bench.tell(&[("a", 90.0)]);
        }
        bench.jump(jump_ms);
        for _ in 0..28 {
            bench.tell(&[("a", 90.0)]);
        }
        assert_eq!(bench.posted().len(), 1, "{jump_ms}: five minutes are not over");
        bench.tell(&[("a", 90.0)]);
        assert_eq!(bench.posted(), ["1/0/1/0/hook/", "1/0/2/0/pager/anna"], "{jump_ms}");
    }
}

#[test]
fn a_jump_neither_fires_nor_holds_up_what_waits_for_its_time() {
    for jump_ms in JUMPS_MS {
        let bench = Bench::new(&CPU.replace("for: 20s", "for: 5m"));
        for _ in 0..10 {
            bench.tell(&[("a", 90.0)]);
        }
        bench.jump(jump_ms);
        for _ in 0..20 {
            bench.tell(&[("a", 90.0)]);
            assert_eq!(bench.phase(), Phase::Pending, "{jump_ms}: five minutes are not over");
        }
        bench.tell(&[("a", 90.0)]);
        assert_eq!(bench.phase(), Phase::Firing, "{jump_ms}");
        bench.jump(-jump_ms);
        bench.tell(&[("a", 90.0)]);
        assert_eq!(bench.phase(), Phase::Firing, "{jump_ms} and back");
        bench.tell(&[("a", 10.0)]);
        assert_eq!(bench.open_incidents(), 0, "{jump_ms}: fresh data ends it");
    }
}

/// What has a date ends by the date: whoever sets the clock right sets right what is hidden.
#[test]
fn a_silence_and_a_window_go_by_the_clock_on_the_wall() {
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let (from, to) = (time(START_MS), time(START_MS + 2 * HOUR_MS));
    let silence = format!("matchers: ['host=a']\nfrom: {from}\nto: {to}\nowner: o\nreason: r\n");
    // START_MS is 22:13 in UTC.
    let window = "matchers: ['host=a']\nschedule: {time_zone: UTC, from: '22:00', to: '00:13'}\n";
    for (kind, text) in [("silences", silence.as_str()), ("windows", window)] {
        let bench = with_policy();
        bench.put(kind, "one", text);
        for _ in 0..4 {
            bench.tell(&[("a", 90.0)]);
        }
        assert_eq!(bench.posted(), [""; 0], "{kind}");
        bench.jump(HOUR_MS);
        bench.tell(&[("a", 90.0)]);
        assert_eq!(bench.posted(), [""; 0], "{kind}: it goes on");
        bench.jump(HOUR_MS);
        for _ in 0..2 {
            bench.tell(&[("a", 90.0)]);
        }
        assert_eq!(bench.posted(), ["1/0/1/0/hook/"], "{kind}: it is over");
    }
}

//! What interfaces see while rules are evaluated.

use super::*;

#[test]
fn who_asks_does_not_wait_for_a_round() {
    let bench = Bench::new(CPU);
    bench.tell(&[("a", 90.0)]);
    let Bench { shared, folder: _folder, .. } = bench;
    let alerting = Alerting { shared: Arc::new(shared), thread: Mutex::default() };
    // As long as a round goes on, it holds the groups.
    let round = lock(&alerting.shared.groups);
    let status = alerting.status();
    assert_eq!((status.groups, status.rules, status.pending), (1, 1, 1));
    assert_eq!(alerting.alerts().len(), 1);
    let [group] = <[_; 1]>::try_from(alerting.groups()).unwrap();
    assert_eq!((group.name.as_str(), group.rules[0].health), ("g", Health::Ok));
    drop(round);
}

#[test]
fn a_group_is_seen_as_it_is_before_the_round_ends() {
    let bench = Bench::new(
        "groups: [{name: a, interval: 10s, rules: [{alert: Cpu, metric: cpu_usage, greater_than: 80}]},
            {name: b, interval: 1d, rules: [{alert: Other, expr: vector(1)}]}]",
    );
    bench.tell(&[("a", 10.0)]);
    bench.tell(&[("a", 90.0)]);
    let seen: Vec<_> = bench.shared.published.groups();
    let seen: Vec<_> = seen
        .iter()
        .map(|it| (it.name.as_str(), it.evaluated_ms, it.rules[0].alerts.len()))
        .collect();
    let now_ms = bench.clock.now_ms();
    assert_eq!(seen, [("a", Some(now_ms), 1), ("b", Some(now_ms - 10_000), 1)]);
}

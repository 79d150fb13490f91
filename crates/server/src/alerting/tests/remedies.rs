//! Attempts to mend, from the rule that wants one to its judgement.

use barograph_alerts::machine::Texts;
use barograph_alerts::remediation::{Asked, AttemptError, AttemptState, Order};

use super::*;

const ACTIONS: &str = "actions:
  mend: {run: [/opt/mend, '--host={host}'], parameters: {host: {matches: '[a-z]+'}}, approvals: 2,
    verify_within: 1m, cool_down: 30m, automatic_after: 1}
  look: {run: [/opt/mend], dry_run: true}
  restart: {restart_service: '{name}', parameters: {name: {label: service, matches: 'web-[a-z]+'}},
    approvals: 2, cool_down: 1m, by_hand: true}
";

struct Mending {
    /// Kept for what is in it.
    _folder: TempDir,
    clock: Arc<FakeClock>,
    alerting: Alerting,
}

/// Alerts of processor usage want `action` done.
fn mending(action: &str) -> Mending {
    let bench = with_policy();
    fs::write(bench.folder.path().join("actions.yml"), ACTIONS).unwrap();
    let rules = CPU.replace("for: 20s", &format!("for: 20s, remediation: {action}"));
    fs::write(bench.folder.path().join("rules.yml"), rules).unwrap();
    let Bench { folder, clock, shared } = bench.reopened();
    let alerting = Alerting { shared: Arc::new(shared), thread: Mutex::default() };
    Mending { _folder: folder, clock, alerting }
}

impl Mending {
    fn tell(&self, usage: f64, times: usize) {
        for _ in 0..times {
            tell(&self.alerting.shared, &self.clock, &[("a", usage)]);
        }
    }

    fn posted(&self) -> Vec<String> {
        posted(&self.alerting.shared)
    }

    /// The newest attempt.
    fn newest(&self) -> (String, AttemptState, String) {
        let it = self.alerting.attempts().remove(0);
        (it.id, it.state, it.outcome)
    }

    fn state(&self) -> AttemptState {
        self.newest().1
    }

    fn approve(&self) {
        let id = self.newest().0;
        for by in ["anna", "ben"] {
            self.alerting.decide(&id, by, true).unwrap();
        }
        assert_eq!(self.state(), AttemptState::Approved);
    }

    fn audit(&self) -> String {
        let lines = self.alerting.shared.state.read(|view| view.log("audit", 0, 1000)).unwrap();
        let lines = lines.items.into_iter().map(|it| String::from_utf8(it.body).unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn the_rule_judges_what_was_done_and_the_next_are_told_when_it_was_in_vain() {
    let it = mending("mend");
    it.tell(90.0, 3);
    let (id, state, _) = it.newest();
    assert_eq!(state, AttemptState::Proposed);
    assert!(it.alerting.next_job().unwrap().is_none(), "nobody wants it yet");
    it.alerting.decide(&id, "anna", true).unwrap();
    let again = it.alerting.decide(&id, "anna", true);
    assert!(matches!(again, Err(ActError::Attempt(AttemptError::SamePerson))));
    it.alerting.decide(&id, "ben", true).unwrap();
    let job = it.alerting.next_job().unwrap().unwrap();
    assert_eq!(job.order, Order::Run(vec!["/opt/mend".to_owned(), "--host=a".to_owned()]));
    assert!(it.alerting.next_job().unwrap().is_none(), "it is begun once");
    it.alerting.job_done(&id, Ok("mended".to_owned()));
    it.tell(90.0, 5);
    assert_eq!((it.state(), it.posted().len()), (AttemptState::Done, 1));
    it.tell(90.0, 2);
    assert_eq!(it.state(), AttemptState::InVain);
    assert_eq!(it.posted(), ["1/0/1/0/hook/", "1/0/2/0/pager/anna"], "before five minutes");
    let audit = it.audit();
    for part in ["mend proposed", "mend approved", "mend started", "mend done", "mend in vain"] {
        assert!(audit.contains(part), "{part} in {audit}");
    }
}

#[test]
fn an_action_cools_down_and_earns_its_trust() {
    let it = mending("mend");
    let fire = || it.tell(90.0, 3);
    let end = || it.tell(10.0, 1);
    fire();
    it.approve();
    let job = it.alerting.next_job().unwrap().unwrap();
    it.alerting.job_done(&job.id, Ok(String::new()));
    end();
    assert_eq!(it.state(), AttemptState::Helped);
    fire();
    let (_, state, _) = it.newest();
    assert_eq!(state, AttemptState::Approved, "it has helped once, which is enough here");
    assert!(it.alerting.attempts()[0].approved_by.contains(&"earned trust".to_owned()));
    assert!(it.alerting.next_job().unwrap().is_none(), "it was done a short while ago");
    it.tell(90.0, 180);
    let job = it.alerting.next_job().unwrap().unwrap();
    it.alerting.job_done(&job.id, Err("exit code 1".to_owned()));
    assert_eq!(it.state(), AttemptState::Failed);
    end();
    fire();
    assert_eq!(it.state(), AttemptState::Proposed, "its trust is gone");
    end();
    assert_eq!(it.state(), AttemptState::Overtaken);
}

#[test]
fn a_dry_run_only_says_what_would_be_done() {
    let it = mending("look");
    it.tell(90.0, 3);
    let (id, state, outcome) = it.newest();
    assert_eq!(
        (state, outcome.as_str()),
        (AttemptState::Refused, r#"dry run: would run ["/opt/mend"]"#)
    );
    assert!(it.alerting.decide(&id, "anna", true).is_err());
    assert!(it.alerting.next_job().unwrap().is_none());
}

#[test]
fn an_alert_elsewhere_is_not_mended_here() {
    let it = mending("mend");
    for _ in 0..3 {
        tell(&it.alerting.shared, &it.clock, &[("b", 90.0)]);
    }
    let (_, state, outcome) = it.newest();
    let expected = (AttemptState::Refused, "actions are done on this host only");
    assert_eq!((state, outcome.as_str()), expected);
}

fn asked(service: &str) -> Asked {
    let labels = [("service".to_owned(), service.to_owned())].into();
    Asked { by: "anna".to_owned(), why: "it hangs".to_owned(), labels }
}

#[test]
fn people_have_done_what_the_file_lets_them_without_an_alert() {
    let it = mending("mend");
    let about = |service: &str| it.alerting.offers(asked(service).labels);
    let offered = serde_json::to_value(about("web-a")).unwrap();
    let restart = "restart the service web-a";
    let expect = serde_json::json!([
        {"action": "restart", "order": restart, "approvals": 2, "dry_run": false}
    ]);
    assert_eq!(offered, expect);
    assert_eq!(about("sshd"), [], "its name is not allowed");
    assert_eq!(it.alerting.offers(Texts::new()), [], "only for services");

    let refused = |action: &str, service: &str| {
        it.alerting.ask(action, asked(service)).unwrap_err().to_string()
    };
    assert!(refused("mend", "web-a").contains("no action `mend` with `by_hand: true`"));
    assert!(refused("restart", "sshd").contains("not allowed"));
    let attempt = it.alerting.ask("restart", asked("web-a")).unwrap();
    assert_eq!(
        (attempt.state, &attempt.approved_by[..]),
        (AttemptState::Proposed, &["anna".to_owned()][..])
    );
    assert_eq!(refused("restart", "web-a"), "it is asked for already");
    let alone = it.alerting.decide(&attempt.id, "anna", true);
    assert!(matches!(alone, Err(ActError::Attempt(AttemptError::SamePerson))));
    assert!(it.alerting.next_job().unwrap().is_none());
    it.alerting.decide(&attempt.id, "ben", true).unwrap();
    let job = it.alerting.next_job().unwrap().unwrap();
    assert_eq!(job.order, Order::RestartService("web-a".to_owned()));
    it.alerting.job_done(&job.id, Ok("restarted".to_owned()));
    assert_eq!(it.newest(), (attempt.id, AttemptState::Finished, "restarted".to_owned()));
    let audit = it.audit();
    assert!(audit.contains("restart finished") && audit.contains("it hangs"), "{audit}");
}

#[test]
fn what_nobody_else_approves_is_not_done_later() {
    let it = mending("mend");
    let attempt = it.alerting.ask("restart", asked("web-a")).unwrap();
    it.clock.advance(Duration::from_secs(16 * 60));
    it.tell(1.0, 1);
    assert_eq!(it.state(), AttemptState::Overtaken);
    let late = it.alerting.decide(&attempt.id, "ben", true);
    assert!(matches!(late, Err(ActError::Attempt(AttemptError::Over))));
}

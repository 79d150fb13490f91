//! Secrets are read in their place only.

use barograph_state::{Secret, SecretError};

use crate::support::Bench;

const PLACE: &str = "channel/mail/password";

#[test]
fn a_secret_comes_back_only_in_its_place_and_with_its_key() {
    let bench = Bench::new();
    let secret = Secret::new("pässword");
    let sealed = bench.state.seal_secret(PLACE, &secret).unwrap();
    assert!(Secret::is_sealed(&sealed) && !sealed.contains("ssword"));
    let bench = bench.reopened();
    assert_eq!(bench.state.open_secret(PLACE, &sealed).unwrap(), secret);
    let elsewhere = bench.state.open_secret("channel/other/password", &sealed);
    assert_eq!(elsewhere, Err(SecretError::Damaged));
    assert_eq!(Bench::new().state.open_secret(PLACE, &sealed), Err(SecretError::Damaged));
}

#[test]
fn the_same_secret_never_looks_the_same() {
    let bench = Bench::new();
    let seal = || bench.state.seal_secret(PLACE, &Secret::new("x")).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn a_changed_secret_is_refused() {
    let bench = Bench::new();
    let sealed = bench.state.seal_secret(PLACE, &Secret::new("secret")).unwrap();
    for at in "sealed:1:".len()..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(bench.state.open_secret(PLACE, &changed), Err(SecretError::Damaged));
    }
    for text in ["", "sealed:1:", "sealed:1:é", "sealed:1:00", "plain"] {
        assert_eq!(bench.state.open_secret(PLACE, text), Err(SecretError::Damaged));
    }
}

#[test]
fn a_secret_is_not_shown() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
}

#[test]
fn a_signature_counts_for_its_text_its_purpose_and_its_key() {
    let bench = Bench::new();
    let signature = bench.state.sign("link", "incident 7");
    assert!(bench.state.is_signed("link", "incident 7", &signature));
    assert!(!bench.state.is_signed("link", "incident 8", &signature));
    assert!(!bench.state.is_signed("other", "incident 7", &signature));
    assert!(!bench.state.is_signed("link", "incident 7", &signature[..31]));
    assert_ne!(Bench::new().state.sign("link", "incident 7"), signature);
}

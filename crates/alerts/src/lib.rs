//! When something is wrong, and what follows from it: rules, the states of alerts, incidents.
//! Everything here is a function of what it is given and of a clock; nothing is sent or stored.
//!
//! - [`rule`] reads rules; [`evaluate`] asks them; [`machine`] makes states of the answers.
//! - [`incident`] gathers alerts of one cause; [`escalation`] says who is told and when, [`mute`]
//!   when nobody is.
//! - [`remediation`] knows what may be done about an alert, and what became of it.
//! - [`backtest`] and [`unit_test`] try rules: on history, and on samples that a test makes up.
//!
//! Times are milliseconds since 1970 UTC.

pub mod backtest;
pub mod document;
pub mod escalation;
pub mod evaluate;
pub mod incident;
pub mod machine;
pub mod matchers;
pub mod mute;
pub mod remediation;
pub mod rule;
pub mod unit_test;
mod wall;

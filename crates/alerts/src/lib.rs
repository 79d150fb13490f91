//! When something is wrong, and what follows from it: rules, the states of alerts, incidents.
//! Everything here is a function of what it is given and of a clock; nothing is sent or stored.

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

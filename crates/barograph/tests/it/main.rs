//! The program as its user meets it: the real binary, real folders, real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod alertmanager;
mod checks;
mod counters;
mod documents;
mod documents_cli;
mod events;
mod exposition;
mod following;
mod forward;
mod inventory;
mod live;
mod notify;
mod openapi;
mod own_program;
mod processes;
mod program;
#[cfg(test)]
mod prometheus_api;
mod prometheus_rules;
mod promql;
mod promql_again;
mod promql_made_up;
mod protobuf;
mod pushed;
mod receiver;
mod record;
mod records;
mod refusals;
mod refusing;
mod remote_write;
mod rule_tests;
mod rules;
mod scrape_tls;
mod senders;
mod serve;
mod service;
mod services;
mod shedding;
mod site;
mod statsd;
mod store;
mod store_files;
mod store_oracles;
mod thrift;
mod tiers;
mod told;

//! The whole way from `/proc` to samples and counters, on recorded machines and on this one.

mod golden;
mod hung_mount;
mod inside;
mod inventory_kept;
mod live;
mod live_events;
mod live_facts;
mod live_network;
mod live_processes;
mod process;
mod recorded_paths;
mod session;
mod systemd;

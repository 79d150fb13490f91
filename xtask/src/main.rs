//! `cargo xtask`: what a developer of this repository does often, as one command each.

mod bench;
mod debian;
mod dist;
mod mingw;
mod node;
mod place;
mod process;
mod python;
mod record_tree;
mod run;
mod rust;
mod test;
mod tidy;
mod tools;
mod web;
mod wine;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the page and the release binary, then start `barograph serve`
    Run {
        /// What follows goes to `barograph serve`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Build the page alone, into web/dist
    Web,
    /// Install what the tests need, then run all of them
    Test(test::Options),
    /// Check the rules that the compiler does not know
    Tidy,
    /// Build what is shipped for Linux and Windows, into target/dist
    Dist,
    /// Measure what Barograph costs
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Run a Windows program under the tests' own Wine
    Wine {
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Record what Barograph reads under /proc and /sys, for tests
    RecordTree {
        /// Such as `debian12-6.1`; the file is crates/collect/tests/trees/NAME.tar
        name: String,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run { arguments } => run::run(&arguments),
        Command::Web => web::build().map(|()| ExitCode::SUCCESS),
        Command::Test(options) => test::run(&options),
        Command::Tidy => tidy::run(),
        Command::Dist => dist::run().map(|()| ExitCode::SUCCESS),
        Command::Bench(bench) => bench::run(&bench).map(|()| ExitCode::SUCCESS),
        Command::Wine { command } => wine::run(&command),
        Command::RecordTree { name } => record_tree::run(&name).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

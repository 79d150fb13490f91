//! `cargo xtask tidy`: rules of this repository that the compiler does not know.
//!
//! A rule is a file below this one with a function from the [`Tree`] to findings, and a line in
//! [`RULES`].

mod banned;
mod edges;
mod locks;
mod machine;
mod module_docs;
mod named_paths;
mod seam;
mod size;
mod tree;
mod unfinished;

use std::process::ExitCode;

use anyhow::Result;

use crate::test::Tally;
use crate::{place, process};
use tree::Tree;

/// One rule.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<String>,
}

static RULES: &[Rule] = &[
    Rule { name: "crates use only what the table of arrows allows", check: edges::check },
    Rule { name: "unwanted packages stay out", check: banned::check },
    Rule { name: "code for one system stays behind its seam", check: seam::check },
    Rule { name: "files are small enough to read", check: size::check },
    Rule { name: "every module says what it is", check: module_docs::check },
    Rule { name: "nothing is left for later", check: unfinished::check },
    Rule { name: "paths named in ARCHITECTURE.md exist", check: named_paths::check },
    Rule { name: "lock files name no other registry", check: locks::check },
    Rule { name: "no path of a developer's machine", check: machine::check },
];

/// Checks everything and prints each finding.
pub(crate) fn run() -> Result<ExitCode> {
    let tally = tally()?;
    println!("{tally}");
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks everything; a rule counts as a test.
pub(crate) fn tally() -> Result<Tally> {
    let tree = Tree::read(&place::root(), &process::cargo())?;
    let mut tally = Tally::default();
    for rule in RULES {
        let findings = (rule.check)(&tree);
        if findings.is_empty() {
            tally.passed += 1;
            continue;
        }
        tally.failed += 1;
        println!("{}:", rule.name);
        for finding in findings {
            println!("    {finding}");
        }
    }
    Ok(tally)
}

//! Runs scripts: our own always, Prometheus' own where they are.

use std::path::{Path, PathBuf};

use super::script::{Case, Outcome, run};

/// Cases of Prometheus' scripts that do not hold, each with its reason: file, line of the `eval`.
static KNOWN_FAILURES: &[(&str, usize, &str)] = &[];

#[test]
fn our_own_scripts_hold() {
    run_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts"));
}

#[test]
fn scripts_of_prometheus_hold() {
    match scripts_of_prometheus() {
        Some(folder) => run_folder(&folder),
        None => eprintln!(
            "Prometheus' test scripts are not here: set BAROGRAPH_PROMQL_SCRIPTS to their folder"
        ),
    }
}

/// Named by the environment, or beside the checkout.
fn scripts_of_prometheus() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("BAROGRAPH_PROMQL_SCRIPTS") {
        return Some(folder.into());
    }
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2);
    folders.find_map(|checkout| {
        let beside = checkout.parent()?.join("shared/promql");
        beside.is_dir().then_some(beside)
    })
}

fn run_folder(folder: &Path) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no script in {}", folder.display());
    let unexpected: usize = files.iter().map(|file| run_file(file)).sum();
    assert_eq!(unexpected, 0, "cases fail that should pass (see above)");
}

/// How many cases went other than expected.
fn run_file(path: &Path) -> usize {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let script = std::fs::read_to_string(path).unwrap();
    let cases = match run(&script) {
        Ok(cases) => cases,
        Err(error) => {
            println!("{name}: cannot be read: {error}");
            return 1;
        }
    };
    let (mut passed, mut skipped, mut known, mut unexpected) = (0, 0, 0, 0);
    let mut reasons: Vec<&str> = Vec::new();
    for case in &cases {
        let excuse =
            KNOWN_FAILURES.iter().find(|(file, line, _)| *file == name && *line == case.line);
        match (&case.outcome, excuse) {
            (Outcome::Passed, None) => passed += 1,
            (Outcome::Passed, Some((_, _, reason))) => {
                tell(&name, case, &format!("passes, though it is listed as failing: {reason}"));
                unexpected += 1;
            }
            (Outcome::Skipped(reason), _) => {
                skipped += 1;
                if !reasons.contains(reason) {
                    reasons.push(reason);
                }
            }
            (Outcome::Failed(_), Some(_)) => known += 1,
            (Outcome::Failed(problem), None) => {
                tell(&name, case, problem);
                unexpected += 1;
            }
        }
    }
    println!(
        "{name}: {passed} passed, {skipped} skipped ({}), {known} known failures, {unexpected} failed",
        reasons.join(", ")
    );
    unexpected
}

fn tell(file: &str, case: &Case, problem: &str) {
    let shown: String = problem.chars().take(600).collect();
    println!("{file}:{}: {}\n    {shown}", case.line, case.expr);
}

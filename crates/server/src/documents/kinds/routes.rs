//! The tree that leads alerts to policies. There is one.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::Route;

use super::{Draft, POLICIES, ROUTE, Reading, Use};

const MAX_ROUTES: usize = 1000;

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    if draft.name != ROUTE {
        let message = format!("the tree of routes is called `{ROUTE}`; there is only one");
        return Err(vec![Problem::whole(message)]);
    }
    let root: Route = draft.read()?;
    let mut walk = Walk { draft, reading: Reading::default(), problems: Vec::new(), routes: 0 };
    if root.matchers.iter().next().is_some() {
        let path = Path::root().field("matchers");
        walk.problems
            .push(draft.problem(&path, "the root takes every alert, so it has no matchers"));
    }
    if root.policy.is_none() {
        let message = "the root names no policy: of alerts that no route takes nobody is told";
        walk.reading.warnings.push(draft.problem(&Path::root(), message));
    }
    walk.route(&root, &Path::root(), 0);
    super::unless(walk.problems, walk.reading)
}

struct Walk<'a> {
    draft: &'a Draft<'a>,
    reading: Reading,
    problems: Vec<Problem>,
    routes: usize,
}

impl Walk<'_> {
    fn route(&mut self, route: &Route, path: &Path, depth: usize) {
        self.routes += 1;
        if self.routes == MAX_ROUTES + 1 {
            let message = format!("more than {MAX_ROUTES} routes");
            self.problems.push(self.draft.problem(path, message));
        }
        if depth > Route::MAX_DEPTH {
            let message = format!("routes are deeper than {}", Route::MAX_DEPTH);
            self.problems.push(self.draft.problem(path, message));
            return;
        }
        if let Some(policy) = &route.policy {
            self.reading.uses.push(Use::needed(path.field("policy"), POLICIES, policy));
        }
        for (number, child) in route.routes.iter().enumerate() {
            self.route(child, &path.field("routes").item(number), depth + 1);
        }
    }
}

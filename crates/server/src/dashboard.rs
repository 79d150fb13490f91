//! Dashboards: pages of panels that people put together.

use barograph_alerts::document::{self, Path, Problem};
use barograph_promql::Query;
use serde::{Deserialize, Serialize};

use crate::queries::CounterPaths;

const MAX_PANELS: usize = 100;
const MAX_QUERIES: usize = 20;
const MAX_TEXT_CHARS: usize = 10_000;
/// Columns of the grid that panels stand in.
const COLUMNS: u32 = 12;
const MAX_ROWS: u32 = 8;

/// A page of panels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dashboard {
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub panels: Vec<Panel>,
}

/// One part of the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Panel {
    #[serde(default)]
    pub title: String,
    #[serde(rename = "type")]
    pub kind: PanelKind,
    /// In PromQL, or counter paths.
    #[serde(default)]
    pub queries: Vec<String>,
    /// In columns of twelve.
    #[serde(default = "half")]
    pub width: u32,
    /// In rows of the grid.
    #[serde(default = "two_rows")]
    pub height: u32,
    /// Without it that of the metric.
    pub unit: Option<PanelUnit>,
    /// Above the critical value: low values are the bad ones.
    pub warning: Option<f64>,
    pub critical: Option<f64>,
    #[serde(default)]
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PanelKind {
    Chart,
    Number,
    Table,
    /// What each series is at, by the panel's limits.
    Status,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum PanelUnit {
    Count,
    Percent,
    Bytes,
    ByteRate,
    BitRate,
    CountRate,
    Seconds,
    Hertz,
    Celsius,
}

const fn half() -> u32 {
    COLUMNS / 2
}

const fn two_rows() -> u32 {
    2
}

impl Dashboard {
    /// Reads its document.
    ///
    /// # Errors
    /// Everything that makes no sense, with its place.
    pub(crate) fn read(text: &str) -> Result<Self, Vec<Problem>> {
        let dashboard: Self = document::read(text).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let root = Path::root();
        let mut wrong = |path: &Path, message: String| {
            problems.push(Problem::at(text, path, message));
        };
        if dashboard.title.trim().is_empty() {
            wrong(&root.field("title"), "a title says something".to_owned());
        }
        let panels = root.field("panels");
        if dashboard.panels.len() > MAX_PANELS {
            let found = dashboard.panels.len();
            wrong(&panels, format!("{found} panels, at most {MAX_PANELS} are allowed"));
        }
        for (number, panel) in dashboard.panels.iter().enumerate().take(MAX_PANELS) {
            panel.check(&panels.item(number), &mut wrong);
        }
        if problems.is_empty() { Ok(dashboard) } else { Err(problems) }
    }
}

impl Panel {
    fn check(&self, path: &Path, wrong: &mut impl FnMut(&Path, String)) {
        if !(1..=COLUMNS).contains(&self.width) {
            let message = format!("{} columns, allowed are 1 to {COLUMNS}", self.width);
            wrong(&path.field("width"), message);
        }
        if !(1..=MAX_ROWS).contains(&self.height) {
            let message = format!("{} rows, allowed are 1 to {MAX_ROWS}", self.height);
            wrong(&path.field("height"), message);
        }
        let chars = self.text.chars().count();
        if chars > MAX_TEXT_CHARS {
            let message = format!("{chars} characters, at most {MAX_TEXT_CHARS} are allowed");
            wrong(&path.field("text"), message);
        }
        self.check_queries(&path.field("queries"), wrong);
    }

    fn check_queries(&self, path: &Path, wrong: &mut impl FnMut(&Path, String)) {
        let found = self.queries.len();
        match (self.kind, found) {
            (PanelKind::Text, 0) => {}
            (PanelKind::Text, _) => wrong(path, "a panel of text asks nothing".to_owned()),
            (_, 0) => wrong(path, "it asks nothing: a query is missing".to_owned()),
            (_, _) if found > MAX_QUERIES => {
                wrong(path, format!("{found} queries, at most {MAX_QUERIES} are allowed"));
            }
            (_, _) => {}
        }
        for (number, query) in self.queries.iter().enumerate().take(MAX_QUERIES) {
            if let Err(error) = Query::parse_with(query, &CounterPaths::for_rules()) {
                wrong(&path.item(number), error.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, expected: &[&str]) {
        let problems = Dashboard::read(text).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_left_out_is_as_people_expect() {
        let text = "title: Mine\npanels:\n- {type: chart, queries: [cpu_usage]}";
        let dashboard = Dashboard::read(text).unwrap();
        let [panel] = dashboard.panels.as_slice() else { panic!("one panel") };
        assert_eq!((panel.width, panel.height, panel.unit), (6, 2, None));
    }

    #[test]
    fn a_counter_path_is_a_query() {
        let text = r"{title: a, panels: [{type: number, queries: ['\Memory\Available Bytes']}]}";
        assert!(Dashboard::read(text).is_ok());
    }

    #[test]
    fn all_mistakes_are_told_with_their_places() {
        let text = "title: ' '
panels:
- {type: chart, queries: ['sum(']}
- {type: text, queries: [up], text: a}
- {type: table}
- {type: number, queries: [up], width: 13, height: 0}
";
        let problems = Dashboard::read(text).unwrap_err();
        let places: Vec<(usize, &str)> =
            problems.iter().map(|it| (it.line, it.place.as_str())).collect();
        let expected = [
            (1, "title"),
            (3, "panels[1].queries[1]"),
            (4, "panels[2].queries"),
            (5, "panels[3].queries"),
            (6, "panels[4].width"),
            (6, "panels[4].height"),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn unknown_words_are_refused() {
        let problems = Dashboard::read("{title: a, panels: [{type: pie}]}").unwrap_err();
        assert!(problems[0].message.contains("pie"), "{problems:?}");
        check_refused("", &["it is empty"]);
    }
}

//! `GET /api/openapi.json`: the whole interface, described for programs.
//!
//! The description is made of one table, `openapi/operations.txt`; a test compares it with the
//! addresses that are answered.

use axum::Json;
use serde_json::{Map, Value, json};

const TABLE: &str = include_str!("openapi/operations.txt");

/// What one method at one address does.
#[derive(Debug)]
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    group: &'a str,
    summary: &'a str,
    parameters: Vec<Parameter<'a>>,
    body: Option<&'static str>,
    /// `None`: it depends on what is asked for.
    answer: Option<&'static str>,
}

#[derive(Debug)]
struct Parameter<'a> {
    name: &'a str,
    kind: &'a str,
    is_needed: bool,
    repeats: bool,
}

pub(crate) async fn openapi() -> Json<Value> {
    Json(document())
}

fn operations() -> impl Iterator<Item = Operation<'static>> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(operation)
}

fn operation(line: &'static str) -> Option<Operation<'static>> {
    let mut cells = line.split('|').map(str::trim);
    let (method, path) = cells.next()?.split_once(' ')?;
    let (group, summary, parameters) = (cells.next()?, cells.next()?, cells.next()?);
    let parameters = parameters.split(',').map(str::trim).filter(|it| !it.is_empty());
    Some(Operation {
        method,
        path,
        group,
        summary,
        parameters: parameters.filter_map(parameter).collect(),
        body: media(cells.next()?),
        answer: media(cells.next()?),
    })
}

fn parameter(text: &'static str) -> Option<Parameter<'static>> {
    let (name, kind) = text.split_once(':')?;
    let word = kind.trim_end_matches(['!', '*']);
    Some(Parameter { name, kind: word, is_needed: kind.contains('!'), repeats: kind.contains('*') })
}

fn media(word: &str) -> Option<&'static str> {
    let media = match word {
        "json" => "application/json",
        "text" => "text/plain",
        "form" => "application/x-www-form-urlencoded",
        "protobuf" => "application/x-protobuf",
        "html" => "text/html",
        "lines" => "application/x-ndjson",
        "stream" => "text/event-stream",
        "any" => "*/*",
        _ => return None,
    };
    Some(media)
}

fn schema(parameter: &Parameter<'_>) -> Value {
    let one = schema_of(parameter.kind);
    if parameter.repeats { json!({ "type": "array", "items": one }) } else { one }
}

fn schema_of(kind: &str) -> Value {
    match kind {
        "whole" => json!({ "type": "integer", "minimum": 0 }),
        "number" => json!({ "type": "number" }),
        "yes" => json!({ "type": "boolean" }),
        "time" => json!({
            "type": "string",
            "description": "milliseconds since 1970 UTC, or ISO 8601 with a zone",
        }),
        _ => json!({ "type": "string" }),
    }
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(operation.method.to_lowercase(), described(&operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Barograph",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What `barograph serve` answers; docs/api/http.md says more.",
        },
        "paths": paths,
        "components": { "schemas": { "Error": error_schema(), "Problem": problem_schema() } },
    })
}

fn described(operation: &Operation<'_>) -> Value {
    let in_path = operation.path.split(['{', '}']).skip(1).step_by(2).map(|name| {
        let schema = schema_of(if name == "number" { "whole" } else { "text" });
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let in_query = operation.parameters.iter().map(|it| {
        json!({ "name": it.name, "in": "query", "required": it.is_needed, "schema": schema(it) })
    });
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    let refused = json!({ "description": "a refusal", "content": {
        "application/json": { "schema": { "$ref": "#/components/schemas/Error" } },
    } });
    // Two interfaces are others', and refuse in their own forms; so do pages for people.
    let is_foreign = matches!(operation.group, "prometheus" | "alertmanager")
        || operation.answer == Some("text/html");
    let refused = if is_foreign { json!({ "description": "a refusal" }) } else { refused };
    let mut answer = json!({ "description": "done" });
    if let (Some(media), Some(fields)) = (operation.answer, answer.as_object_mut()) {
        fields.insert("content".to_owned(), json!({ media: {} }));
    }
    let (status, answer) = match operation.path {
        "/api/live" => ("101", json!({ "description": "a WebSocket" })),
        _ => ("2XX", answer),
    };
    let mut described = json!({
        "operationId": id(operation),
        "summary": operation.summary,
        "tags": [operation.group],
        "parameters": parameters,
        "responses": { status: answer, "4XX": refused, "5XX": refused },
    });
    if let (Some(media), Some(fields)) = (operation.body, described.as_object_mut()) {
        fields.insert("requestBody".to_owned(), json!({ "content": { media: {} } }));
    }
    described
}

/// Such as `get_api_documents_kind`.
fn id(operation: &Operation<'_>) -> String {
    let words = operation.path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let method = operation.method.to_lowercase();
    words.fold(method, |id, word| id + "_" + word)
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": { "type": "string", "description": "stable" },
                "message": { "type": "string", "description": "for people" },
                "suggestions": { "type": "array", "items": { "type": "string" } },
                "problems": {
                    "type": "array",
                    "items": { "$ref": "#/components/schemas/Problem" },
                },
            },
        } },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "required": ["kind", "name", "severity", "line", "column", "place", "message"],
        "properties": {
            "kind": { "type": "string" },
            "name": { "type": "string" },
            "severity": { "enum": ["error", "warning"] },
            "line": { "type": ["integer", "null"] },
            "column": { "type": ["integer", "null"] },
            "place": { "type": "string" },
            "message": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Where addresses are given their answers.
    const ROUTERS: [&str; 4] = [
        include_str!("../http.rs"),
        include_str!("prometheus.rs"),
        include_str!("alertmanager.rs"),
        include_str!("remediations.rs"),
    ];

    /// Method and address of all that is answered, read from the routers themselves.
    fn answered() -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for text in ROUTERS {
            let parts = text.split(".route(").skip(1);
            for part in parts.filter(|it| it.trim_start().starts_with('"')) {
                let path = part.split('"').nth(1).unwrap();
                let rest = part.split_once(path).unwrap().1;
                let handlers = rest.split(".merge(").next().unwrap();
                for method in ["get", "post", "put", "delete"] {
                    if handlers.contains(&format!("{method}(")) {
                        found.insert((method.to_uppercase(), path.to_owned()));
                    }
                }
            }
        }
        found
    }

    #[test]
    fn every_address_is_described_and_nothing_else() {
        let described: BTreeSet<_> =
            operations().map(|it| (it.method.to_owned(), it.path.to_owned())).collect();
        let answered = answered();
        assert!(answered.len() > 80);
        let missing: Vec<_> = answered.difference(&described).collect();
        assert!(missing.is_empty(), "describe in openapi/operations.txt: {missing:?}");
        let too_many: Vec<_> = described.difference(&answered).collect();
        assert!(too_many.is_empty(), "nothing answers: {too_many:?}");
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let lines = TABLE.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
        assert_eq!(lines.clone().count(), operations().count());
        for line in lines {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let given = cells[3].split(',').filter(|it| !it.trim().is_empty()).count();
            let operation =
                operations().find(|it| line.starts_with(&format!("{} {} ", it.method, it.path)));
            assert_eq!((cells.len(), operation.unwrap().parameters.len()), (6, given), "{line}");
            for word in &cells[4..] {
                assert!(*word == "-" || *word == "socket" || media(word).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn names_of_operations_are_told_apart() {
        let ids: BTreeSet<String> = operations().map(|it| id(&it)).collect();
        assert_eq!(ids.len(), operations().count());
    }
}

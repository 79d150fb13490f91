//! The schemas say what the readers take: tried with texts that are made from the schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::kinds::{Draft, KINDS, Kind};

/// No reader knows this field.
const ODD: &str = "zzz";

/// A text of a kind in which every way through its schema is gone.
struct Walk {
    kind: &'static Kind,
    schema: Value,
    root: Value,
    tried: usize,
}

/// Where something stands in a text.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    First,
}

fn name_of(kind: &Kind) -> &'static str {
    if ["routes", "watch"].contains(&kind.name) { "default" } else { "test" }
}

impl Walk {
    fn problems(&self, text: &Value) -> Vec<String> {
        let text = text.to_string();
        let draft = Draft { name: name_of(self.kind), text: &text, now_ms: 1_767_225_600_000 };
        let problems = self.kind.read(&draft).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    /// What stands behind `$ref`, with what stands beside it.
    fn resolved(&self, schema: &Value) -> Value {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
            return schema.clone();
        };
        let target = self.schema.pointer(target.trim_start_matches('#')).unwrap();
        let mut joined = self.resolved(target).as_object().unwrap().clone();
        let beside = schema.as_object().unwrap().iter().filter(|(key, _)| *key != "$ref");
        joined.extend(beside.map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(joined)
    }

    /// Something that the schema allows, as small as it can be.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        let given = ["const", "default"].iter().find_map(|key| schema.get(*key));
        let listed = ["enum", "examples"].iter().find_map(|key| schema.get(*key)?.get(0));
        if let Some(value) = given.or(listed) {
            return value.clone();
        }
        if let Some(least) = schema.get("minimum") {
            return if least.as_i64() < Some(0) { json!(1) } else { least.clone() };
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("array") => json!([self.sample(&schema["items"])]),
            Some("number" | "integer") => json!(1),
            Some("boolean") => json!(true),
            Some("object") if schema.get("additionalProperties").is_some() => {
                json!({ "a": "{to} {text}" })
            }
            Some("object") => {
                let (properties, required) = variants(&schema).remove(0);
                self.object(&properties, &required)
            }
            _ => json!(text_for(schema["format"].as_str())),
        }
    }

    fn object(&self, properties: &Map<String, Value>, required: &[String]) -> Value {
        let fields = required.iter().map(|name| (name.clone(), self.sample(&properties[name])));
        let mut object = Value::Object(fields.collect());
        mend(&mut object);
        object
    }

    /// Goes through an object that stands at `place` of a good text.
    fn walk(&mut self, schema: &Value, place: &[Step], depth: usize) {
        let schema = self.resolved(schema);
        let schema_items = schema.get("items").cloned();
        if let Some(items) = schema_items {
            let place = [place, &[Step::First]].concat();
            return self.walk(&items, &place, depth);
        }
        if schema.get("properties").is_none() && schema.get("oneOf").is_none() {
            return;
        }
        let variants = variants(&schema);
        let all: BTreeSet<String> =
            variants.iter().flat_map(|(properties, _)| properties.keys().cloned()).collect();
        for (properties, required) in variants {
            let object = self.object(&properties, &required);
            self.refused_odd(&object, &properties, &all, place);
            for (name, of) in &properties {
                self.taken(&object, name, of, place);
                if depth < 6 {
                    let place = [place, &[Step::Field(name.clone())]].concat();
                    let before = self.root.clone();
                    let mut with = object.clone();
                    with[name] = self.sample(of);
                    put(&mut self.root, &place[..place.len() - 1], with);
                    self.walk(of, &place, depth + 1);
                    self.root = before;
                }
            }
        }
    }

    fn refused_odd(
        &self,
        object: &Value,
        properties: &Map<String, Value>,
        all: &BTreeSet<String>,
        place: &[Step],
    ) {
        let mut odd = object.clone();
        odd[ODD] = json!(1);
        let told = self.at(place, odd).join("\n");
        let mut known = fields_in(&told);
        if self.kind.name == "routes" && place.is_empty() {
            // The root is a route that takes everything.
            known.retain(|name| !["matchers", "continue"].contains(&name.as_str()));
        }
        let ours: BTreeSet<String> = properties.keys().cloned().collect();
        assert!(known == ours || known == *all, "{} {place:?}: {told}\n{ours:?}", self.kind.name);
    }

    fn taken(&mut self, object: &Value, name: &str, of: &Value, place: &[Step]) {
        // Which fields such a rule takes depends on its action.
        let relabels = |name: &str| name.ends_with("relabel_configs");
        let is_inside = |it: &Step| matches!(it, Step::Field(name) if relabels(name));
        if relabels(name) || place.iter().any(is_inside) {
            return;
        }
        let of = self.resolved(of);
        let listed = of.get("enum").and_then(Value::as_array).cloned();
        for value in listed.unwrap_or_else(|| vec![self.sample(&of)]) {
            let mut with = object.clone();
            with[name] = value;
            mend(&mut with);
            let other = match name {
                "less_than" | "equals" => "greater_than",
                "messaging_service_sid" => "from",
                _ => "",
            };
            with.as_object_mut().unwrap().remove(other);
            self.tried += 1;
            let told = self.at(place, with.clone());
            assert_eq!(told, Vec::<String>::new(), "{} {place:?} {with}", self.kind.name);
        }
    }

    /// What is said of a text with this object at this place.
    fn at(&self, place: &[Step], object: Value) -> Vec<String> {
        let mut text = self.root.clone();
        put(&mut text, place, object);
        self.problems(&text)
    }
}

fn put(root: &mut Value, place: &[Step], value: Value) {
    let mut at = root;
    for step in place {
        at = match step {
            Step::Field(name) => &mut at[name.as_str()],
            Step::First => &mut at[0],
        };
    }
    *at = value;
}

fn text_for(format: Option<&str>) -> &'static str {
    match format {
        Some("date-time") => "2026-01-10T08:00:00+01:00",
        Some("length") => "5m",
        Some("promql") => "up",
        _ => "abc",
    }
}

/// The ways in which an object can be filled in: its properties, and those that it must have.
fn variants(schema: &Value) -> Vec<(Map<String, Value>, Vec<String>)> {
    let part = |it: &Value| {
        let properties = it["properties"].as_object().cloned().unwrap_or_default();
        let required = it["required"].as_array().cloned().unwrap_or_default();
        let required: Vec<String> =
            required.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        (properties, required)
    };
    let (shared, needed) = part(schema);
    let Some(variants) = schema["oneOf"].as_array() else { return vec![(shared, needed)] };
    let variant = |it: &Value| {
        let (mut properties, mut required) = part(it);
        properties.extend(shared.clone());
        required.extend(needed.clone());
        (properties, required)
    };
    variants.iter().map(variant).collect()
}

/// What goes together with what is there, which a schema need not say.
fn mend(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    let needs = [
        ("metric", "greater_than", json!(1)),
        ("account_sid", "from", json!("+15550100")),
        ("user", "password", json!("p")),
        ("password", "user", json!("u")),
    ];
    for (given, needed, value) in needs {
        if fields.contains_key(given) && !fields.contains_key(needed) {
            fields.insert(needed.to_owned(), value);
        }
    }
    if fields.get("from").is_some() && fields.get("from") == fields.get("to") {
        fields.insert("to".to_owned(), json!("2026-01-11T08:00:00+01:00"));
    }
    match fields.get("type").and_then(Value::as_str) {
        Some("chart" | "number" | "table" | "status") => {
            fields.entry("queries").or_insert_with(|| json!(["up"]));
        }
        Some("text") => drop(fields.remove("queries")),
        _ => {}
    }
}

/// The names of fields in "expected one of a, b" and in "allowed are a, b".
fn fields_in(told: &str) -> BTreeSet<String> {
    let lists = ["allowed are ", "expected one of ", "expected "];
    let list = lists.iter().find_map(|before| told.split_once(before)).map_or("", |(_, it)| it);
    let names = list.lines().next().unwrap_or_default().split([',', ' ']);
    let names = names.map(|it| it.trim_matches('`')).filter(|it| !it.is_empty() && *it != "or");
    names.map(str::to_owned).collect()
}

#[test]
fn schemas_say_what_the_readers_take() {
    for kind in KINDS {
        let schema: Value = serde_json::from_str(kind.schema).unwrap();
        let mut walk = Walk { kind, root: json!({}), schema: schema.clone(), tried: 0 };
        walk.root = walk.sample(&schema);
        walk.walk(&schema, &[], 0);
        assert!(walk.tried > 1, "{} is hardly tried", kind.name);
    }
}

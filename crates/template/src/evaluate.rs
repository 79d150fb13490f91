//! Filling in.

use std::collections::BTreeMap;

use barograph_model::Labels;

use super::parse::{Base, Branch, Node, Operand, Pipeline};
use super::value::Value;
use super::{Context, Data, Template, TemplateError, functions};

/// What a text for people may come to.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// Nodes and operands that are looked at.
const MAX_STEPS: usize = 100_000;
/// How deep `template` may call.
const MAX_CALLS: usize = 50;

pub(super) fn evaluate(
    template: &Template,
    context: &Context<'_>,
) -> Result<String, TemplateError> {
    let text = |text: &str| Value::Text(text.to_owned());
    let external = context.external_labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let labels = Value::labels(context.labels.iter());
    let external = Value::labels(external);
    let url = text(context.external_url);
    let value = Value::Float(context.value);
    let fields = [
        ("Labels", labels.clone()),
        ("ExternalLabels", external.clone()),
        ("ExternalURL", url.clone()),
        ("Value", value.clone()),
    ];
    let dot = Value::Map(fields.into_iter().map(|(name, it)| (name.to_owned(), it)).collect());
    let variables = [
        ("", dot.clone()),
        ("labels", labels),
        ("externalLabels", external),
        ("externalURL", url),
        ("value", value),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
    run(template, context, &dot, variables, str::to_owned)
}

pub(super) fn evaluate_data(template: &Template, data: &Data<'_>) -> Result<String, TemplateError> {
    let labels = Labels::new(std::iter::empty::<(&str, &str)>())
        .map_err(|error| TemplateError::new(1, error.to_string()))?;
    let no_query = |_: &str| Err("there are no queries in messages".to_owned());
    let context = Context {
        labels: &labels,
        value: f64::NAN,
        external_labels: &BTreeMap::new(),
        external_url: data.external_url,
        now_ms: data.now_ms,
        query: &no_query,
    };
    let variables = vec![(String::new(), data.dot.clone())];
    run(template, &context, data.dot, variables, data.escape)
}

fn run(
    template: &Template,
    context: &Context<'_>,
    dot: &Value,
    variables: Vec<(String, Value)>,
    escape: fn(&str) -> String,
) -> Result<String, TemplateError> {
    let mut run = Run {
        template,
        context,
        variables,
        escape,
        out: String::new(),
        steps: 0,
        calls: 0,
        line: 1,
    };
    run.nodes(&template.root, dot)?;
    Ok(run.out)
}

struct Run<'a> {
    template: &'a Template,
    context: &'a Context<'a>,
    /// The innermost last.
    variables: Vec<(String, Value)>,
    /// For what is filled in.
    escape: fn(&str) -> String,
    out: String,
    steps: usize,
    calls: usize,
    line: usize,
}

/// Whether a loop goes on.
#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                self.variables.truncate(known);
                return Ok(flow);
            }
        }
        self.variables.truncate(known);
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, dot: &Value) -> Result<Flow, TemplateError> {
        self.step()?;
        match node {
            Node::Text(text) => self.print(text)?,
            Node::Print { line, pipeline } => {
                self.line = *line;
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let text = (self.escape)(&value.text());
                    self.print(&text)?;
                }
            }
            Node::If { moves_dot, branches, otherwise } => {
                return self.conditional(*moves_dot, branches, otherwise, dot);
            }
            Node::Range { branch, otherwise } => return self.range(branch, otherwise, dot),
            Node::Template { line, name, argument } => {
                self.line = *line;
                self.call(name, argument.as_ref(), dot)?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn conditional(
        &mut self,
        moves_dot: bool,
        branches: &'a [Branch],
        otherwise: &'a [Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        for Branch { line, pipeline, body } in branches {
            self.line = *line;
            let value = self.pipeline(pipeline, dot)?;
            if value.is_true() {
                let flow = self.nodes(body, if moves_dot { &value } else { dot });
                self.variables.truncate(known);
                return flow;
            }
        }
        let flow = self.nodes(otherwise, dot);
        self.variables.truncate(known);
        flow
    }

    fn range(
        &mut self,
        branch: &'a Branch,
        otherwise: &'a [Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        self.line = branch.line;
        let known = self.variables.len();
        // The variables are given element by element, not the whole.
        let whole = Pipeline { variables: Vec::new(), ..branch.pipeline.clone() };
        let value = self.pipeline(&whole, dot)?;
        let elements: Vec<(Value, Value)> = match value {
            Value::List(items) => (0..).map(Value::Integer).zip(items).collect(),
            Value::Map(pairs) => {
                pairs.into_iter().map(|(key, value)| (Value::Text(key), value)).collect()
            }
            Value::Nil => Vec::new(),
            other => return Err(self.error(format!("range can't iterate over {}", other.kind()))),
        };
        if elements.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, element) in elements {
            let given = match branch.pipeline.variables.as_slice() {
                [] => Vec::new(),
                [name] => vec![(name, element.clone())],
                [first, second, ..] => vec![(first, key), (second, element.clone())],
            };
            for (name, value) in given {
                self.give(name, value, branch.pipeline.is_assignment);
            }
            let flow = self.nodes(&branch.body, &element)?;
            if !branch.pipeline.is_assignment {
                self.variables.truncate(known);
            }
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn call(
        &mut self,
        name: &str,
        argument: Option<&Pipeline>,
        dot: &Value,
    ) -> Result<(), TemplateError> {
        let Some(body) = self.template.defined.get(name) else {
            return Err(self.error(format!("template \"{name}\" not defined")));
        };
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return Err(self.error(format!("`template` calls more than {MAX_CALLS} deep")));
        }
        let dot = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        let outside = std::mem::replace(&mut self.variables, vec![(String::new(), dot.clone())]);
        self.nodes(body, &dot)?;
        self.variables = outside;
        self.calls -= 1;
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipeline.variables {
            self.give(name, value.clone(), pipeline.is_assignment);
        }
        Ok(value)
    }

    fn give(&mut self, name: &str, value: Value, is_assignment: bool) {
        let there = self.variables.iter_mut().rev().find(|(it, _)| it == name);
        match there {
            Some((_, it)) if is_assignment => *it = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn command(
        &mut self,
        operands: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, TemplateError> {
        let Some((first, arguments)) = operands.split_first() else { return Ok(Value::Nil) };
        let Base::Function(name) = &first.base else {
            return self.operand(first, dot);
        };
        // `and` and `or` look at no more arguments than they must.
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            let value = self.operand(argument, dot)?;
            let decided = match name.as_str() {
                "and" => !value.is_true(),
                "or" => value.is_true(),
                _ => false,
            };
            values.push(value);
            if decided {
                break;
            }
        }
        values.extend(piped);
        let value = functions::call(name, &values, self.context)
            .map_err(|problem| self.error(format!("error calling {name}: {problem}")))?;
        self.fields(value, &first.fields)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, TemplateError> {
        self.step()?;
        let value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(it, _)| it == name);
                found.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Base::Function(_) => {
                let alone = Operand { base: operand.base.clone(), fields: Vec::new() };
                self.command(&[alone], None, dot)?
            }
            Base::Text(text) => Value::Text(text.clone()),
            Base::Integer(number) => Value::Integer(*number),
            Base::Float(number) => Value::Float(*number),
            Base::Bool(it) => Value::Bool(*it),
            Base::Nil => Value::Nil,
            Base::Nested(pipeline) => self.pipeline(pipeline, dot)?,
        };
        self.fields(value, &operand.fields)
    }

    fn fields(&self, value: Value, fields: &[String]) -> Result<Value, TemplateError> {
        fields
            .iter()
            .try_fold(value, |value, name| value.field(name).map_err(|problem| self.error(problem)))
    }

    fn print(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.out.len() + text.len() > MAX_OUTPUT_BYTES {
            return Err(self.error(format!("prints more than {MAX_OUTPUT_BYTES} bytes")));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn step(&mut self) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(self.error(format!("does more than {MAX_STEPS} steps")));
        }
        Ok(())
    }

    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(self.line, problem)
    }
}

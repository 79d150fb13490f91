//! From words to a tree.

use std::collections::BTreeMap;

use super::lex::{self, Piece, Placed, Word};
use super::{Template, TemplateError, functions};

/// How deep actions and parentheses may be nested.
const MAX_DEPTH: usize = 50;
/// The variables that every template of a rule begins with.
const GIVEN: [&str; 5] = ["", "labels", "externalLabels", "externalURL", "value"];

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// Prints a pipeline's value, unless the pipeline gives it to a variable.
    Print {
        line: usize,
        pipeline: Pipeline,
    },
    /// The first branch whose pipeline is true; `with` also moves the dot there.
    If {
        moves_dot: bool,
        branches: Vec<Branch>,
        otherwise: Vec<Node>,
    },
    Range {
        branch: Branch,
        otherwise: Vec<Node>,
    },
    Template {
        line: usize,
        name: String,
        argument: Option<Pipeline>,
    },
    Break,
    Continue,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch {
    pub(super) line: usize,
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipeline {
    /// Variables that get the value; `range` has up to two.
    pub(super) variables: Vec<String>,
    /// `=` instead of `:=`.
    pub(super) is_assignment: bool,
    /// Each is given the value of the one before as its last argument.
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) base: Base,
    /// `.a.b` behind the base.
    pub(super) fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Function(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Nil,
    Nested(Box<Pipeline>),
}

/// What ended a list of nodes.
enum Ending {
    /// The template's own end.
    Text,
    End,
    /// `else`, with what follows it.
    Else {
        line: usize,
        words: Vec<Placed>,
    },
}

pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
    let mut parser = Parser {
        pieces: lex::pieces(text)?.into_iter(),
        variables: GIVEN.iter().map(|name| (*name).to_owned()).collect(),
        defined: BTreeMap::new(),
        depth: 0,
        loops: 0,
        line: 1,
    };
    let (root, ending) = parser.nodes()?;
    match ending {
        Ending::Text => Ok(Template { text: text.to_owned(), root, defined: parser.defined }),
        Ending::End => Err(TemplateError::new(parser.line, "unexpected {{end}}")),
        Ending::Else { line, .. } => Err(TemplateError::new(line, "unexpected {{else}}")),
    }
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    /// The variables that are known here.
    variables: Vec<String>,
    defined: BTreeMap<String, Vec<Node>>,
    depth: usize,
    loops: usize,
    /// Of the action that was read last.
    line: usize,
}

impl Parser {
    fn nodes(&mut self) -> Result<(Vec<Node>, Ending), TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("nested more than {MAX_DEPTH} deep")));
        }
        let mut nodes = Vec::new();
        let ending = loop {
            let (line, words) = match self.pieces.next() {
                None => break Ending::Text,
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Some(Piece::Action { line, words }) => (line, words),
            };
            self.line = line;
            match words.first() {
                None => return Err(self.error("missing value for command")),
                Some((Word::Name(name), _)) if name == "end" => break Ending::End,
                Some((Word::Name(name), _)) if name == "else" => {
                    break Ending::Else { line, words: words[1..].to_vec() };
                }
                Some(_) => nodes.extend(self.action(line, &words)?),
            }
        };
        self.depth -= 1;
        Ok((nodes, ending))
    }

    fn action(&mut self, line: usize, words: &[Placed]) -> Result<Option<Node>, TemplateError> {
        let keyword = match words.first() {
            Some((Word::Name(name), _)) => name.as_str(),
            _ => "",
        };
        let rest = words.get(1..).unwrap_or_default();
        match keyword {
            "if" | "with" => self.conditional(line, keyword, rest).map(Some),
            "range" => self.range(line, rest).map(Some),
            "define" => self.define(rest).map(|()| None),
            "block" => Err(self.error("`block` is not supported, use `define` and `template`")),
            "template" => self.template(line, rest).map(Some),
            "break" | "continue" if rest.is_empty() => {
                if self.loops == 0 {
                    return Err(self.error(format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                }
                Ok(Some(if keyword == "break" { Node::Break } else { Node::Continue }))
            }
            _ => {
                let pipeline = self.pipeline(words, 1)?;
                Ok(Some(Node::Print { line, pipeline }))
            }
        }
    }

    fn conditional(
        &mut self,
        line: usize,
        keyword: &str,
        words: &[Placed],
    ) -> Result<Node, TemplateError> {
        let known = self.variables.len();
        let mut branches = Vec::new();
        let mut next = Some((line, words.to_vec()));
        let mut otherwise = Vec::new();
        while let Some((line, words)) = next.take() {
            let pipeline = self.pipeline(&words, 1)?;
            let (body, ending) = self.nodes()?;
            branches.push(Branch { line, pipeline, body });
            match ending {
                Ending::End => {}
                Ending::Text => {
                    return Err(self.error("unexpected end of the text, {{end}} is missing"));
                }
                Ending::Else { words, .. } if words.is_empty() => {
                    otherwise = self.until_end()?;
                }
                Ending::Else { line, words } => match words.split_first() {
                    Some(((Word::Name(name), _), words)) if name == keyword => {
                        next = Some((line, words.to_vec()));
                    }
                    _ => return Err(self.error(format!("only `{keyword}` may follow this `else`"))),
                },
            }
        }
        self.variables.truncate(known);
        Ok(Node::If { moves_dot: keyword == "with", branches, otherwise })
    }

    fn until_end(&mut self) -> Result<Vec<Node>, TemplateError> {
        match self.nodes()? {
            (nodes, Ending::End) => Ok(nodes),
            (_, Ending::Text) => Err(self.error("unexpected end of the text, {{end}} is missing")),
            (_, Ending::Else { .. }) => Err(self.error("expected {{end}}, found {{else}}")),
        }
    }

    fn range(&mut self, line: usize, words: &[Placed]) -> Result<Node, TemplateError> {
        let known = self.variables.len();
        let pipeline = self.pipeline(words, 2)?;
        self.loops += 1;
        let (body, ending) = self.nodes()?;
        self.loops -= 1;
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::Else { words, .. } if words.is_empty() => self.until_end()?,
            _ => return Err(self.error("expected {{end}} of {{range}}")),
        };
        self.variables.truncate(known);
        Ok(Node::Range { branch: Branch { line, pipeline, body }, otherwise })
    }

    fn define(&mut self, words: &[Placed]) -> Result<(), TemplateError> {
        let [(Word::Text(name), _)] = words else {
            return Err(self.error("`define` wants a quoted name"));
        };
        // Its variables are its own: only `$` is known there.
        let outside = std::mem::replace(&mut self.variables, vec![String::new()]);
        let body = self.until_end()?;
        self.variables = outside;
        self.defined.insert(name.clone(), body);
        Ok(())
    }

    fn template(&mut self, line: usize, words: &[Placed]) -> Result<Node, TemplateError> {
        let Some(((Word::Text(name), _), rest)) = words.split_first() else {
            return Err(self.error("`template` wants a quoted name"));
        };
        let argument = if rest.is_empty() { None } else { Some(self.pipeline(rest, 0)?) };
        Ok(Node::Template { line, name: name.clone(), argument })
    }

    /// A pipeline that may begin with up to `max_variables` variables and `:=` or `=`.
    fn pipeline(
        &mut self,
        words: &[Placed],
        max_variables: usize,
    ) -> Result<Pipeline, TemplateError> {
        let (variables, is_assignment, rest) = match words {
            [
                (Word::Variable(a), _),
                (Word::Comma, _),
                (Word::Variable(b), _),
                (sign, _),
                rest @ ..,
            ] if max_variables == 2 && matches!(sign, Word::Declare | Word::Assign) => {
                (vec![a.clone(), b.clone()], *sign == Word::Assign, rest)
            }
            [(Word::Variable(a), _), (sign, _), rest @ ..]
                if max_variables > 0 && matches!(sign, Word::Declare | Word::Assign) =>
            {
                (vec![a.clone()], *sign == Word::Assign, rest)
            }
            rest => (Vec::new(), false, rest),
        };
        let commands = self.commands(rest)?;
        if is_assignment {
            for name in &variables {
                self.known(name)?;
            }
        } else {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, is_assignment, commands })
    }

    fn commands(&mut self, words: &[Placed]) -> Result<Vec<Vec<Operand>>, TemplateError> {
        let mut commands = Vec::new();
        let mut operands = Vec::new();
        let mut rest = words;
        loop {
            match rest.first() {
                None | Some((Word::Pipe, _)) if operands.is_empty() => {
                    return Err(self.error("missing value for command"));
                }
                None => break,
                Some((Word::Pipe, _)) => {
                    commands.push(std::mem::take(&mut operands));
                    rest = &rest[1..];
                }
                Some(_) => {
                    let (operand, after) = self.operand(rest)?;
                    operands.push(operand);
                    rest = after;
                }
            }
        }
        commands.push(operands);
        let is_literal = |it: &[Operand]| {
            !matches!(it, [Operand { base: Base::Function(_) | Base::Nested(_), .. }, ..])
        };
        if let Some(later) = commands.get(1..)
            && later.iter().any(|command| is_literal(command))
        {
            return Err(self.error("only functions may follow a `|`"));
        }
        if commands.iter().any(|command| command.len() > 1 && is_literal(command)) {
            return Err(self.error("can't give argument to non-function"));
        }
        Ok(commands)
    }

    fn operand<'w>(
        &mut self,
        words: &'w [Placed],
    ) -> Result<(Operand, &'w [Placed]), TemplateError> {
        let Some(((word, _), mut rest)) = words.split_first() else {
            return Err(self.error("missing value for command"));
        };
        let mut fields = Vec::new();
        let base = match word {
            Word::Dot => Base::Dot,
            Word::Field(name) => {
                fields.push(name.clone());
                Base::Dot
            }
            Word::Variable(name) => {
                self.known(name)?;
                Base::Variable(name.clone())
            }
            Word::Name(name) => match name.as_str() {
                "true" => Base::Bool(true),
                "false" => Base::Bool(false),
                "nil" => Base::Nil,
                name if functions::is_known(name) => Base::Function(name.to_owned()),
                name => return Err(self.error(format!("function \"{name}\" not defined"))),
            },
            Word::Text(text) => Base::Text(text.clone()),
            Word::Integer(number) => Base::Integer(*number),
            Word::Float(number) => Base::Float(*number),
            Word::LeftParen => {
                let end = closing(rest).ok_or_else(|| self.error("unclosed left paren"))?;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.error(format!("nested more than {MAX_DEPTH} deep")));
                }
                let nested = self.pipeline(&rest[..end], 0)?;
                self.depth -= 1;
                rest = &rest[end + 1..];
                Base::Nested(Box::new(nested))
            }
            word => return Err(self.error(format!("unexpected {word:?} in an action"))),
        };
        while let Some(((Word::Field(name), false), after)) = rest.split_first() {
            fields.push(name.clone());
            rest = after;
        }
        Ok((Operand { base, fields }, rest))
    }

    fn known(&self, name: &String) -> Result<(), TemplateError> {
        if self.variables.contains(name) {
            return Ok(());
        }
        Err(self.error(format!("undefined variable \"${name}\"")))
    }

    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(self.line, problem)
    }
}

/// The place of the parenthesis that closes the one before `words`.
fn closing(words: &[Placed]) -> Option<usize> {
    let mut open = 1;
    words.iter().position(|(word, _)| {
        match word {
            Word::LeftParen => open += 1,
            Word::RightParen => open -= 1,
            _ => {}
        }
        open == 0
    })
}

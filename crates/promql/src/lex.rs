//! Words of the language.
//!
//! What a word is depends on where it stands: `by` is a label between braces, `5m` may only follow
//! within brackets. The rules are those of Prometheus' lexer, so that errors appear at the same place
//! with the same words.

use crate::ast::Span;
use crate::quote::{self, quoted_char};
use crate::shorthand::{Shorthand, Shorthands};

mod number;

/// A word's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    End,
    /// A mistake; its text is in [`Lexed::error`].
    Error,
    Identifier,
    /// A name with a colon, which only metrics have.
    MetricIdentifier,
    /// `Number` or `Duration` may be written as `inf` or `nan`, too.
    Number,
    Duration,
    Text,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    DoubleColon,
    /// `=`
    Assign,
    EqualRegex,
    NotEqualRegex,
    At,
    Operator,
    Aggregator,
    Keyword,
    /// `start`, `end`, `step`, `range`
    Moment,
    /// What it stands for is in [`Lexed::shorthands`].
    Shorthand,
}

/// A word and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// All words of a text, [`Kind::End`] or [`Kind::Error`] at the end.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) error: Option<String>,
    /// Where each begins, and the query that it stands for.
    pub(crate) shorthands: Vec<(usize, String)>,
}

pub(crate) const OPERATORS: [&str; 4] = ["and", "or", "unless", "atan2"];
pub(crate) const AGGREGATORS: [&str; 14] = [
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
];
const KEYWORDS: [&str; 10] = [
    "offset",
    "smoothed",
    "anchored",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
];
/// Keywords before a parenthesis only: metrics are called so, too.
const FILL_KEYWORDS: [&str; 3] = ["fill", "fill_left", "fill_right"];
const MOMENTS: [&str; 4] = ["start", "end", "step", "range"];

pub(crate) fn lex(text: &str, known: &dyn Shorthands) -> Lexed {
    let mut lexer = Lexer {
        text,
        known,
        shorthands: Vec::new(),
        at: 0,
        start: 0,
        parens: 0,
        in_braces: false,
        in_brackets: false,
        got_colon: false,
        tokens: Vec::with_capacity(text.len() / 4 + 2),
    };
    let error = lexer.run().err();
    if error.is_some() {
        let span = Span { start: lexer.start.min(text.len()), end: text.len() };
        lexer.tokens.push(Token { kind: Kind::Error, span });
    }
    Lexed { tokens: lexer.tokens, error, shorthands: lexer.shorthands }
}

struct Lexer<'a> {
    text: &'a str,
    known: &'a dyn Shorthands,
    shorthands: Vec<(usize, String)>,
    /// Where the next character is.
    at: usize,
    /// Where the word began.
    start: usize,
    parens: usize,
    in_braces: bool,
    in_brackets: bool,
    got_colon: bool,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Result<(), String> {
        loop {
            self.skip_blank();
            self.start = self.at;
            let Some(first) = self.next() else {
                self.end()?;
                self.emit(Kind::End);
                return Ok(());
            };
            if self.in_braces {
                self.inside_braces(first)?;
            } else if self.in_brackets {
                self.inside_brackets(first)?;
            } else {
                self.statement(first)?;
            }
        }
    }

    fn end(&self) -> Result<(), String> {
        let problem = if self.in_braces {
            "unexpected end of input inside braces"
        } else if self.in_brackets {
            "unexpected end of input in duration expression"
        } else if self.parens > 0 {
            "unclosed left parenthesis"
        } else {
            return Ok(());
        };
        Err(problem.to_owned())
    }

    fn statement(&mut self, first: char) -> Result<(), String> {
        match first {
            ',' => self.emit(Kind::Comma),
            '=' => match self.peek() {
                Some('=') => self.take_one(Kind::Operator),
                Some('~') => return Err("unexpected character after '=': '~'".to_owned()),
                _ => self.emit(Kind::Assign),
            },
            '!' => match self.next() {
                Some('=') => self.emit(Kind::Operator),
                other => return Err(odd("unexpected character after '!'", other)),
            },
            '<' | '>' if self.peek() == Some('=') => self.take_one(Kind::Operator),
            '<' | '>' if self.peek() == Some('/') => {
                return Err(format!(
                    "operator {first}/ trims native histograms, which are not supported"
                ));
            }
            '*' | '/' | '%' | '+' | '-' | '^' | '<' | '>' => self.emit(Kind::Operator),
            '"' | '\'' | '`' => self.string(first)?,
            '(' => self.open_paren(),
            ')' => self.close_paren()?,
            '{' => {
                self.emit(Kind::LeftBrace);
                self.in_braces = true;
            }
            '[' => {
                self.emit(Kind::LeftBracket);
                self.in_brackets = true;
                self.got_colon = false;
            }
            ']' => return Err("unexpected right bracket ']'".to_owned()),
            '@' => self.emit(Kind::At),
            _ if starts_number(first, self.peek()) => self.number()?,
            _ if is_alpha(first) || first == ':' => self.word(),
            '\\' => self.shorthand()?,
            _ => return Err(format!("unexpected character: {}", quoted_char(first))),
        }
        Ok(())
    }

    fn inside_braces(&mut self, first: char) -> Result<(), String> {
        match first {
            '{' => return Err("unexpected left brace '{'".to_owned()),
            '}' => {
                self.emit(Kind::RightBrace);
                self.in_braces = false;
            }
            ',' => self.emit(Kind::Comma),
            '"' | '\'' | '`' => self.string(first)?,
            '=' if self.peek() == Some('~') => self.take_one(Kind::EqualRegex),
            '=' => self.emit(Kind::Assign),
            '!' => match self.next() {
                Some('~') => self.emit(Kind::NotEqualRegex),
                Some('=') => self.emit(Kind::Operator),
                other => {
                    return Err(odd("unexpected character after '!' inside braces", other));
                }
            },
            _ if is_alpha(first) => {
                self.skip_while(is_alphanumeric);
                self.emit(Kind::Identifier);
            }
            _ => {
                return Err(format!("unexpected character inside braces: {}", quoted_char(first)));
            }
        }
        Ok(())
    }

    fn inside_brackets(&mut self, first: char) -> Result<(), String> {
        match first {
            ']' => {
                self.emit(Kind::RightBracket);
                self.in_brackets = false;
            }
            ':' if self.got_colon => {
                return Err("unexpected repeated colon in duration expression".to_owned());
            }
            ':' => {
                if self.tokens.last().is_some_and(|last| last.kind == Kind::LeftBracket) {
                    return Err(
                        "unexpected colon before duration in duration expression".to_owned()
                    );
                }
                self.got_colon = true;
                if self.peek() == Some(':') {
                    self.take_one(Kind::DoubleColon);
                } else {
                    self.emit(Kind::Colon);
                }
            }
            '(' => self.open_paren(),
            ')' => self.close_paren()?,
            '+' | '-' | '*' | '/' | '%' | '^' => self.emit(Kind::Operator),
            ',' => self.emit(Kind::Comma),
            _ if starts_number(first, self.peek()) => self.number()?,
            _ if is_alpha(first) => {
                self.skip_while(is_alphanumeric);
                match self.current().to_ascii_lowercase().as_str() {
                    "step" | "range" => self.emit(Kind::Moment),
                    "min" | "max" | "min_of" | "max_of" => self.emit(Kind::Aggregator),
                    _ => return Err(odd_in_duration(first)),
                }
            }
            _ => return Err(odd_in_duration(first)),
        }
        Ok(())
    }

    fn open_paren(&mut self) {
        self.parens += 1;
        self.emit(Kind::LeftParen);
    }

    fn close_paren(&mut self) -> Result<(), String> {
        match self.parens.checked_sub(1) {
            Some(left) => self.parens = left,
            None => return Err("unexpected right parenthesis ')'".to_owned()),
        }
        self.emit(Kind::RightParen);
        Ok(())
    }

    /// A name or a word of the language.
    fn word(&mut self) {
        self.skip_while(|c| is_alphanumeric(c) || c == ':');
        let word = self.current();
        let lower = word.to_ascii_lowercase();
        let lower = lower.as_str();
        let kind = if matches!(lower, "inf" | "nan") {
            Kind::Number
        } else if OPERATORS.contains(&lower) {
            Kind::Operator
        } else if AGGREGATORS.contains(&lower) {
            Kind::Aggregator
        } else if KEYWORDS.contains(&lower)
            || (FILL_KEYWORDS.contains(&lower) && self.paren_follows())
        {
            Kind::Keyword
        } else if MOMENTS.contains(&lower) {
            Kind::Moment
        } else if word.contains(':') {
            Kind::MetricIdentifier
        } else {
            Kind::Identifier
        };
        self.emit(kind);
    }

    fn shorthand(&mut self) -> Result<(), String> {
        let text = self.text.get(self.start..).unwrap_or_default();
        let Some(read) = self.known.read(text) else {
            return Err(format!("unexpected character: {}", quoted_char('\\')));
        };
        match read {
            Ok(Shorthand { bytes, promql }) => {
                self.shorthands.push((self.start, promql));
                self.at = self.start + bytes;
                self.emit(Kind::Shorthand);
                Ok(())
            }
            Err(mistake) => {
                self.start += mistake.at;
                Err(mistake.problem)
            }
        }
    }

    fn paren_follows(&self) -> bool {
        self.rest().trim_start_matches(is_space).starts_with('(')
    }

    /// A string; what its escapes stand for is read by the parser.
    fn string(&mut self, quote: char) -> Result<(), String> {
        loop {
            match self.next() {
                None if quote == '`' => return Err("unterminated raw string".to_owned()),
                None => return Err("unterminated quoted string".to_owned()),
                Some('\n') if quote != '`' => return Err("unterminated quoted string".to_owned()),
                Some('\\') if quote != '`' => {
                    let mut rest = self.rest().chars();
                    quote::unescape(&mut rest, quote, &mut Vec::new())?;
                    self.at = self.text.len() - rest.as_str().len();
                }
                Some(c) if c == quote => break,
                Some(_) => {}
            }
        }
        self.emit(Kind::Text);
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        let scanned = number::scan(self.text.as_bytes(), self.start);
        self.at = scanned.end;
        let Some(kind) = scanned.kind else {
            return Err(format!("bad number or duration syntax: {:?}", self.current()));
        };
        self.emit(kind);
        Ok(())
    }

    /// Spaces and comments.
    fn skip_blank(&mut self) {
        loop {
            self.skip_while(is_space);
            if self.peek() != Some('#') || self.in_brackets {
                return;
            }
            self.skip_while(|c| c != '\n' && c != '\r');
        }
    }

    fn take_one(&mut self, kind: Kind) {
        self.next();
        self.emit(kind);
    }

    fn emit(&mut self, kind: Kind) {
        self.tokens.push(Token { kind, span: Span { start: self.start, end: self.at } });
        self.start = self.at;
    }

    fn current(&self) -> &'a str {
        self.text.get(self.start..self.at).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
    }
}

fn odd(what: &str, found: Option<char>) -> String {
    match found {
        Some(found) => format!("{what}: {}", quoted_char(found)),
        None => format!("{what}: end of input"),
    }
}

fn odd_in_duration(found: char) -> String {
    format!("unexpected character in duration expression: {}", quoted_char(found))
}

fn starts_number(first: char, second: Option<char>) -> bool {
    first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit()))
}

pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    is_alpha(c) || c.is_ascii_digit()
}

/// Whether a text is a label's name of the old alphabet, which needs no quotes.
pub(crate) fn is_plain_label(name: &str) -> bool {
    name.chars().next().is_some_and(is_alpha) && name.chars().all(is_alphanumeric)
}

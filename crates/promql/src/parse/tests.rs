//! What is taken and what is refused.

use proptest::prelude::*;

use super::*;
use crate::ast::{At, BinaryOp, Node};

#[track_caller]
fn refuses(text: &str, message: &str) {
    match Query::parse(text) {
        Ok(query) => panic!("`{text}` was taken as {:?}", query.expr),
        Err(error) => assert_eq!(error.to_string(), message, "`{text}`"),
    }
}

#[test]
fn errors_have_place_and_words_of_prometheus() {
    for (text, message) in [
        ("", "1:1: parse error: no expression found in input"),
        ("foo bar", "1:5: parse error: unexpected identifier \"bar\""),
        ("1 +", "1:4: parse error: unexpected end of input"),
        ("(1", "1:3: parse error: unclosed left parenthesis"),
        ("sum(foo bar)", "1:9: parse error: unexpected identifier \"bar\" in aggregation"),
        ("foo{bar", "1:8: parse error: unexpected end of input inside braces"),
        (
            "foo{bar baz}",
            "1:9: parse error: unexpected identifier \"baz\" in label matching, \
             expected label matching operator",
        ),
        (
            "foo{bar=baz}",
            "1:9: parse error: unexpected identifier \"baz\" in label matching, expected string",
        ),
        (
            "foo{,}",
            "1:5: parse error: unexpected \",\" in label matching, expected identifier or \"}\"",
        ),
        ("foo[5x]", "1:5: parse error: bad number or duration syntax: \"5\""),
        ("foo[5m30]", "1:5: parse error: bad number or duration syntax: \"5m30\""),
        ("foo[5mm]", "1:5: parse error: bad number or duration syntax: \"5mm\""),
        ("0deadbeef", "1:1: parse error: bad number or duration syntax: \"0de\""),
        (r#""a\qb""#, "1:1: parse error: unknown escape sequence U+0071 'q'"),
        (r#"'\"'"#, "1:1: parse error: unknown escape sequence U+0022 '\"'"),
        (r#"foo{a="\x4"}"#, "1:7: parse error: illegal character U+0022 '\"' in escape sequence"),
        ("\"\\", "1:1: parse error: escape sequence not terminated"),
        (r#""\777""#, "1:1: parse error: escape sequence is an invalid Unicode code point"),
        (r#"foo{"\xff"="x"}"#, r#"1:5: parse error: invalid label name "\xff""#),
        (r#"foo{a=~"\xff"}"#, "1:5: parse error: error parsing regexp: invalid UTF-8"),
        ("foo[0m]", "1:5: parse error: duration must be greater than 0"),
        (
            "sum by job (foo)",
            "1:8: parse error: unexpected identifier \"job\" in grouping opts, expected \"(\"",
        ),
        ("nope(1)", "1:1: parse error: unknown function with name \"nope\""),
        (
            "foo\n  + on(x) group_left(x) bar",
            "2:1: parse error: label \"x\" must not occur in ON and GROUP clause at once",
        ),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        (
            "rate(foo)",
            "1:6: parse error: expected type range vector in call to function \"rate\", \
             got instant vector",
        ),
        (
            "{x=\"\"}",
            "1:1: parse error: vector selector must contain at least one non-empty matcher",
        ),
        ("rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"),
        (
            "foo offset",
            "1:11: parse error: unexpected end of input in offset, \
                        expected number, duration, step(), or range()",
        ),
        ("foo @ x", "1:7: parse error: unexpected identifier \"x\" in @, expected timestamp"),
        ("(foo)[5m]", "1:6: parse error: ranges only allowed for vector selectors"),
        ("1 $ 2", "1:3: parse error: unexpected character: '$'"),
    ] {
        refuses(text, message);
    }
}

#[test]
fn operators_bind_as_in_prometheus() {
    let query = Query::parse("1 + 2 * 3 ^ 2 ^ 2").unwrap();
    let Node::Binary(sum) = &query.expr().node else { panic!() };
    assert_eq!(sum.op, BinaryOp::Add);
    let Node::Binary(product) = &sum.rhs.node else { panic!() };
    let Node::Binary(power) = &product.rhs.node else { panic!() };
    assert!(matches!(&power.rhs.node, Node::Binary(inner) if inner.op == BinaryOp::Pow));
    // The sign binds weaker than the power.
    let query = Query::parse("-foo ^ 2").unwrap();
    assert!(matches!(query.expr().node, Node::Unary { negative: true, .. }));
}

#[test]
fn keywords_may_be_metrics() {
    for text in ["sum", "by", "offset", "start", "step + range", "fill + fill_left", "and and or"] {
        Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    refuses("on", "1:1: parse error: unexpected <on>");
}

#[test]
fn quoted_names_are_names() {
    let query = Query::parse(r#"{"my.metric", 'label ü'=~"a|b"}"#).unwrap();
    let Node::Vector(selector) = &query.expr().node else { panic!() };
    let matchers: Vec<_> = selector.matchers.iter().map(|m| (m.label(), m.value())).collect();
    assert_eq!(matchers, [("__name__", "my.metric"), ("label ü", "a|b")]);
    assert!(Query::parse(r#"sum by ("a b", c) (x)"#).is_ok());
}

#[test]
fn operators_of_native_histograms_are_refused_by_name() {
    let problem = "trims native histograms, which are not supported";
    refuses("foo </ 5", &format!("1:5: parse error: operator </ {problem}"));
    refuses("foo >/ 5", &format!("1:5: parse error: operator >/ {problem}"));
}

#[test]
fn a_value_that_no_label_has_may_be_asked_for() {
    let matchers = parse_selector(r#"up{job!="\xff"}"#).unwrap();
    assert!(matchers[0].matches_value("x") && matchers[0].matches_value(""));
    assert!(!parse_selector(r#"up{job="\xff"}"#).unwrap()[0].matches_value(""));
}

#[test]
fn deep_and_long_texts_are_refused_quickly() {
    let many = 20_000;
    for text in [
        format!("{}1{}", "(".repeat(many), ")".repeat(many)),
        format!("1{}", "+1".repeat(many)),
        format!("{}1", "-".repeat(many)),
        format!("{}x{}", "abs(".repeat(many), ")".repeat(many)),
        format!("x{}", "[1m:]".repeat(many)),
        format!("x[{}1{}]", "(".repeat(many), ")".repeat(many)),
        format!("x[1{}]", "+1".repeat(many)),
        format!("1{}", "^1".repeat(many)),
    ] {
        let error = Query::parse(&text).unwrap_err();
        assert!(error.problem.contains("nested more than 200 levels deep"), "{error}");
    }
    let error = Query::parse(&"x".repeat(300_000)).unwrap_err();
    assert!(error.problem.contains("at most 262144 are allowed"), "{error}");
}

#[test]
fn what_is_not_too_deep_is_taken() {
    let text = format!("{}1{}", "(".repeat(190), ")".repeat(190));
    Query::parse(&text).unwrap();
    Query::parse(&format!("up{}", " or up".repeat(190))).unwrap();
}

#[test]
fn lengths_depend_on_the_question() {
    let query = Query::parse("rate(foo[2 * step()] offset -(5m))").unwrap();
    let expr = query.resolved(15_000, 0).unwrap();
    let Node::Call { args, .. } = &expr.node else { panic!() };
    let Node::Matrix(matrix) = &args[0].node else { panic!() };
    assert_eq!((matrix.range.ms, matrix.selector.time.offset.ms), (30_000, -300_000));
    assert!(query.resolved(0, 0).unwrap_err().to_string().contains("greater than 0"));
}

#[test]
fn moments_are_milliseconds() {
    let at = |text: &str| {
        let query = Query::parse(text).unwrap();
        match &query.expr().node {
            Node::Vector(selector) => selector.time.at,
            _ => None,
        }
    };
    assert_eq!(at("foo @ 1.5"), Some(At::Time(1500)));
    assert_eq!(at("foo @ -1"), Some(At::Time(-1000)));
    assert_eq!(at("foo offset 5m @ end()"), Some(At::End));
    refuses(
        "foo @ 1e30",
        "1:1: parse error: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000",
    );
}

#[test]
fn a_selector_alone_is_parsed_for_match() {
    assert_eq!(parse_selector("up{job=\"x\"}").unwrap().len(), 2);
    assert!(parse_selector("rate(up[5m])").is_err());
    assert!(parse_selector("up offset 5m").is_err());
    assert!(parse_selector("{}").is_err());
    assert_eq!(parse_wide_selector("{}").unwrap().len(), 0);
    assert!(parse_wide_selector("up{__name__=\"up\"}").is_err());
}

const PIECES: &[&str] = &[
    "a",
    "b:c",
    "rate",
    "sum",
    "topk",
    "by",
    "without",
    "on",
    "group_left",
    "offset",
    "bool",
    "and",
    "or",
    "unless",
    "inf",
    "NaN",
    "0x1f",
    "1e9",
    "5m",
    "1h30m",
    ".5",
    "\"x\"",
    "'y\\n'",
    "`z`",
    "\"",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    "!=",
    "=~",
    "!~",
    "==",
    "<=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "@",
    ":",
    "start()",
    "step()",
    "\\",
    "#",
    "\n",
    " ",
    " ",
    " ",
    "é",
    "😀",
    "\u{0}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_words_are_a_query_or_refused_at_their_place(
        words in prop::collection::vec(prop::sample::select(PIECES), 0..25),
    ) {
        let text = words.concat();
        match Query::parse(&text) {
            Ok(query) => {
                let printed = query.expr().to_string();
                let again = Query::parse(&printed).map(|query| query.expr().to_string());
                prop_assert_eq!(again, Ok(printed));
            }
            Err(error) => {
                let Span { start, end } = error.span;
                prop_assert!(text.get(start..end.max(start)).is_some(), "{:?} {}", text, error);
                prop_assert!(error.line >= 1 && error.column >= 1);
            }
        }
    }

    #[test]
    fn any_text_is_a_query_or_refused(text in ".{0,80}") {
        drop(Query::parse(&text));
        drop(parse_selector(&text));
    }
}

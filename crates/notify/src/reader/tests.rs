//! What is read as something else than what was meant.

use super::*;

/// The mistakes of a document with the field `token`.
fn mistakes(text: &str) -> Vec<String> {
    let mut fields = Fields::parse(text).unwrap();
    fields.secret("token");
    fields.finish().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_not_read_as_a_text_is_refused_as_it_was_written() {
    let mistakes = |text: &str| -> Vec<String> {
        let mut fields = Fields::parse(text).unwrap();
        fields.text("command");
        fields.texts("to");
        fields.finish().iter().map(ToString::to_string).collect()
    };
    for good in ["command: page", "to: [-100123, 42]", "to: '+49170'", "command: 'no'"] {
        assert_eq!(mistakes(good), [""; 0], "{good}");
    }
    let told = |line: usize, field: &str, written: &str, kind: &str| {
        format!(
            "line {line}: `{field}`: `{written}` is read as {kind}, not as a text; write \
             '{written}' in quotes"
        )
    };
    assert_eq!(mistakes("# x\ncommand: no # y"), [told(2, "command", "no", "a truth value")]);
    assert_eq!(mistakes("{command: Off}"), [told(1, "command", "Off", "a truth value")]);
    assert_eq!(mistakes("command: 1.50"), [told(1, "command", "1.50", "a number")]);
    assert_eq!(mistakes("to: [ä, 0123]"), [told(1, "to", "0123", "a number")]);
    assert_eq!(mistakes("to:\n- +49170"), [told(2, "to", "+49170", "a number")]);
}

#[test]
fn secrets_that_are_not_read_as_texts_are_refused() {
    for good in ["{token: abc}", "{token: '0123'}", "{token: {secret: 'no'}}"] {
        assert_eq!(mistakes(good), [""; 0], "{good}");
    }
    let quotes = |what: &str| {
        format!(
            "line 1: `token`: the name of the secret is read as {what}; put it in quotes, as \
             in `{{secret: \"NAME\"}}`"
        )
    };
    for (bad, kind) in [("no", "a truth value"), ("y", "a truth value"), ("42", "a number")] {
        assert_eq!(mistakes(&format!("{{token: {{secret: {bad}}}}}")), [quotes(kind)]);
    }
    let direct = "line 1: `token`: the secret is read as a number; put it in quotes";
    assert_eq!(mistakes("{token: 0123}"), [direct]);
    let shape = "line 1: `token`: a secret is named as `{secret: NAME}`";
    assert_eq!(mistakes("{token: {secret: a, more: b}}"), [shape]);
}

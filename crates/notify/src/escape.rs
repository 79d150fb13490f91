//! What makes a text harmless where it goes: markup of others must not be made by a host's name.

use crate::text;

/// Makes a text harmless.
pub(crate) type Escape = fn(&str) -> String;

/// Where there is no markup.
pub(crate) fn plain(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn html(text: &str) -> String {
    barograph_template::escape_html(text)
}

/// Slack's and Telegram's three special characters: with them escaped nothing is a mention, a link
/// or a tag.
pub(crate) fn angles(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown, as Discord and Teams read it.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\*_~`|>#[]()<@-+!".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Within a string of JSON.
pub(crate) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// Within one line.
pub(crate) fn line(text: &str) -> String {
    text::line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_only_text() {
        let text = "<b>&\"'*_[x](y)@all\\";
        assert_eq!(plain(text), text);
        assert_eq!(html(text), "&lt;b&gt;&amp;&#34;&#39;*_[x](y)@all\\");
        assert_eq!(angles(text), "&lt;b&gt;&amp;\"'*_[x](y)@all\\");
        assert_eq!(markdown(text), r#"\<b\>&"'\*\_\[x\]\(y\)\@all\\"#);
        assert_eq!(json("a\"\n\\"), r#"a\"\n\\"#);
        assert_eq!(line("a\r\nBcc: b\u{2028}c"), "a  Bcc: b c");
    }
}

//! Short messages: what all gateways share, which is their length.

pub(super) mod gateway;
pub(super) mod twilio;
pub(super) mod vonage;

use super::Telling;
use crate::escape;
use crate::failure::Failure;
use crate::reader::Fields;
use crate::text;

/// The characters of which a message holds 160; all others make it one of 70.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                   ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// These count twice.
const GSM_TWICE: &str = "^{}\\[~]|€";

/// Who gets it, and how long it may be.
#[derive(Debug)]
struct Sms {
    to: Vec<String>,
    /// How many messages one may come to.
    parts: u32,
}

impl Sms {
    fn read(fields: &mut Fields) -> Self {
        let mut to = Vec::new();
        for (number, at) in fields.texts("to") {
            if !is_number(&number) {
                let message = format!("`{number}` is no telephone number such as '+491701234567'");
                fields.refuse("to", at, message);
            }
            to.push(number);
        }
        Self { to, parts: fields.number("parts", 1..=6).unwrap_or(2) }
    }

    fn receivers(&self, telling: &Telling<'_>) -> Result<Vec<String>, Failure> {
        let numbers = telling.receivers(&self.to, |it| it.phone.as_ref(), "telephone number")?;
        match numbers.iter().find(|it| !is_number(it)) {
            Some(wrong) => {
                let wrong = text::cut(&text::line(wrong), 30);
                Err(Failure::permanent(format!("`{wrong}` is no telephone number")))
            }
            None => Ok(numbers),
        }
    }

    /// The text, cut so that it fits with its link.
    fn text(&self, telling: &Telling<'_>) -> String {
        let it = telling.notification;
        let links = text::links(it);
        let link = links.iter().find(|(name, _)| *name == "Acknowledge").or(links.first());
        let link = link.map_or_else(String::new, |(_, url)| format!("\n{url}"));
        let filled = telling.filled("text", escape::line).and_then(Result::ok);
        let told = filled.filter(|it| !it.trim().is_empty()).unwrap_or_else(|| short(telling));
        fit(&told, &link, self.parts)
    }
}

/// Headline and facts without words that everybody knows.
fn short(telling: &Telling<'_>) -> String {
    let it = telling.notification;
    let title = text::line(&it.title);
    let mut text = format!("{} {}: {title}", it.event.word(), it.severity.word());
    let facts = text::facts(it, telling.channel.zone());
    for (name, fact) in facts {
        if !matches!(name, "Severity") {
            text.push_str(". ");
            text.push_str(&fact);
        }
    }
    text
}

/// As international numbers are written.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
}

/// As much of `text` as fits into so many messages with `link` behind it. Characters that would
/// make the message one of 70 only, and that have a plain form, take that.
fn fit(text: &str, link: &str, parts: u32) -> String {
    let text: String = text.chars().map(plainer).collect();
    let whole = format!("{text}{link}");
    if units(&whole) <= room(&whole, parts) {
        return whole;
    }
    let mark = "...";
    // A link that is too long by itself is of no use cut.
    let link = if units(link) + 20 > room(link, parts) { "" } else { link };
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        let candidate: String =
            kept.iter().copied().chain(mark.chars()).chain(link.chars()).collect();
        if units(&candidate) <= room(&candidate, parts) || kept.pop().is_none() {
            return candidate;
        }
    }
}

fn plainer(c: char) -> char {
    match c {
        '…' => '.',
        '‘' | '’' | '`' | '´' => '\'',
        '“' | '”' | '„' => '"',
        '–' | '—' => '-',
        '[' => '(',
        ']' => ')',
        '\u{a0}' | '\t' => ' ',
        other => other,
    }
}

fn is_gsm(text: &str) -> bool {
    text.chars().all(|c| GSM.contains(c) || GSM_TWICE.contains(c))
}

/// What a text takes, in the units of the alphabet that it needs.
fn units(text: &str) -> usize {
    if is_gsm(text) {
        text.chars().map(|c| if GSM_TWICE.contains(c) { 2 } else { 1 }).sum()
    } else {
        text.encode_utf16().count()
    }
}

/// How much fits into so many messages. In several, each gives up room for saying which it is.
fn room(text: &str, parts: u32) -> usize {
    let parts = parts as usize;
    match (is_gsm(text), parts) {
        (true, 1) => 160,
        (true, _) => 153 * parts,
        (false, 1) => 70,
        (false, _) => 67 * parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "\nhttps://b.example/a/7";

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(fit("Disk C: is full", LINK, 1), format!("Disk C: is full{LINK}"));
        assert_eq!(fit("“Disk” [C:]…", "", 1), "\"Disk\" (C:).");
    }

    #[test]
    fn what_is_cut_keeps_its_link() {
        for (text, parts, most) in [
            ("x".repeat(500), 1, 160),
            ("x".repeat(500), 2, 306),
            ("{".repeat(500), 1, 160),
            ("ж".repeat(500), 1, 70),
            ("😀".repeat(500), 3, 201),
        ] {
            let cut = fit(&text, LINK, parts);
            assert!(cut.ends_with(&format!("...{LINK}")), "{cut}");
            assert!((most - 1..=most).contains(&units(&cut)), "{}", units(&cut));
        }
    }

    #[test]
    fn a_link_that_would_be_all_is_left_out() {
        let link = format!("\nhttps://b.example/{}", "a".repeat(200));
        assert_eq!(fit("Disk C: is full", &link, 1), "Disk C: is full...");
    }

    #[test]
    fn numbers_are_international() {
        assert!(is_number("+491701234567"));
        for text in
            ["", "+", "01701234567", "+49 170 1234567", "+1\r\n23456789", "+1234567890123456"]
        {
            assert!(!is_number(text), "{text}");
        }
    }
}

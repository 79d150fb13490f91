//! E-mail.

use barograph_fetch::TlsSettings;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::mail::{Encryption, Letter, Login, Picture, Server};
use crate::escape::{self, html};
use crate::failure::Failure;
use crate::notification::{Event, Notification, Severity};
use crate::reader::Fields;
use crate::secret::SecretText;
use crate::{chart, text};

const MAX_SUBJECT: usize = 200;
const MAX_TEXT: usize = 60_000;
const MAX_CHARTS: usize = 3;

#[derive(Debug)]
struct Email {
    host: String,
    port: u16,
    encryption: Encryption,
    user: Option<String>,
    password: Option<SecretText>,
    from: Option<Mailbox>,
    to: Vec<String>,
    tls: TlsSettings,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    let (host, encryption) = (fields.needed("server"), encryption(fields));
    let usual = match encryption {
        Encryption::Tls => 465,
        Encryption::StartTls => 587,
        Encryption::None => 25,
    };
    let port = fields.number("port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let user = fields.text("user");
    let password = fields.secret("password");
    if user.is_some() != password.is_some() {
        let message = "`user` and `password` are given together or not at all";
        fields.refuse("user", fields.place(), message);
    }
    if user.is_some() && matches!(encryption, Encryption::None) {
        let message = "a password is not sent without encryption; use `starttls` or `tls`";
        fields.refuse("encryption", fields.place(), message);
    }
    let from = from(fields);
    let mut to = Vec::new();
    for (address, at) in fields.texts("to") {
        if address.parse::<Mailbox>().is_err() {
            fields.refuse("to", at, format!("`{address}` is no e-mail address"));
        }
        to.push(address);
    }
    let port = port.unwrap_or(usual);
    Box::new(Email { host, port, encryption, user, password, from, to, tls: super::tls(fields) })
}

fn encryption(fields: &mut Fields) -> Encryption {
    let all =
        [("starttls", Encryption::StartTls), ("tls", Encryption::Tls), ("none", Encryption::None)];
    fields.one_of("encryption", &all).unwrap_or(Encryption::StartTls)
}

fn from(fields: &mut Fields) -> Option<Mailbox> {
    if !fields.has("from") {
        fields.needed("from");
        return None;
    }
    let (text, at) = fields.placed("from")?;
    let from = text.parse().ok();
    if from.is_none() {
        fields.refuse("from", at, format!("`{text}` is no e-mail address"));
    }
    from
}

impl Way for Email {
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let zone = telling.channel.zone();
        let from = self.from.clone().ok_or_else(|| Failure::permanent("there is no sender"))?;
        let receivers = telling.receivers(&self.to, |it| it.email.as_ref(), "e-mail address")?;
        let login = match (&self.user, &self.password) {
            (Some(user), Some(password)) => {
                Some(Login { user: user.clone(), password: telling.secrets.text(password)? })
            }
            _ => None,
        };
        let charts = it.evidence.charts.iter().take(MAX_CHARTS);
        let pictures: Vec<Picture> = charts
            .filter_map(|chart| {
                let title = text::cut(&text::line(&chart.title), 200);
                Some(Picture { title, png: chart::png(chart, zone)? })
            })
            .collect();
        let subject = telling.title(escape::line, MAX_SUBJECT);
        let text = telling.text_with_links(escape::plain, MAX_TEXT);
        let html = page(telling, &pictures);
        let parcels = receivers.into_iter().map(|to| {
            Parcel::Mail(Box::new(Letter {
                server: Server {
                    host: self.host.clone(),
                    port: self.port,
                    encryption: self.encryption,
                    tls: self.tls.clone(),
                },
                login: login.clone(),
                from: from.clone(),
                to,
                id: it.id.clone(),
                thread: it.group.clone(),
                at_ms: it.at_ms,
                is_urgent: it.severity == Severity::Critical && it.event != Event::Resolved,
                subject: subject.clone(),
                text: text.clone(),
                html: html.clone(),
                pictures: pictures.clone(),
            }))
        });
        Ok(parcels.collect())
    }
}

/// The message as a page. Styles stand at each element, since mail programs drop all others.
fn page(telling: &Telling<'_>, pictures: &[Picture]) -> String {
    let it = telling.notification;
    let pictures: String =
        pictures.iter().enumerate().map(|(i, picture)| figure(i, picture)).collect();
    let body = match telling.filled("html", html) {
        Some(Ok(filled)) => filled + &pictures,
        other => {
            let problem = other.and_then(Result::err);
            let problem = problem.map(|it| format!("<p>{}</p>", html(&it))).unwrap_or_default();
            usual(
                it,
                telling.channel.zone(),
                &html(&telling.title(escape::line, MAX_SUBJECT)),
                &pictures,
            ) + &problem
        }
    };
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"></head>\
         <body style=\"margin:0;padding:16px;font:15px/1.45 Segoe UI,Helvetica,Arial,sans-serif;color:#1c1f24\">\
         {body}</body></html>"
    )
}

fn figure(i: usize, picture: &Picture) -> String {
    let title = html(&picture.title);
    format!(
        "<p style=\"margin:14px 0 4px\"><code>{title}</code></p>\
         <img src=\"cid:chart{i}\" alt=\"chart of the last hour: {title}\" width=\"640\" height=\"200\" \
         style=\"max-width:100%\">"
    )
}

fn usual(it: &Notification, zone: &TimeZone, title: &str, pictures: &str) -> String {
    let colour = match (it.event, it.severity) {
        (Event::Resolved, _) => "#2e7d32",
        (_, Severity::Critical) => "#b3261e",
        (_, Severity::Warning) => "#b26a00",
        (_, Severity::Info) => "#1565c0",
    };
    let mut page =
        format!("<h2 style=\"margin:0 0 12px;font-size:19px;color:{colour}\">{title}</h2>");
    if it.event == Event::Test {
        page.push_str("<p>This is a test: nothing is wrong.</p>");
    }
    page.push_str(&list("", &text::told_briefs(it, zone)));
    if it.event != Event::Digest {
        let rows = text::facts(it, zone).into_iter().map(|(name, fact)| {
            format!(
                "<tr><td style=\"padding:2px 16px 2px 0;color:#5c626c\">{name}</td><td>{}</td></tr>",
                html(&fact)
            )
        });
        page = page + "<table>" + &rows.collect::<Vec<_>>().concat() + "</table>";
    }
    page.push_str(pictures);
    let alerts: Vec<String> = it.alerts.iter().take(20).map(text::alert_line).collect();
    page.push_str(&list("Alerts", &alerts));
    page.push_str(&list("Busiest processes", &text::processes(it, 10)));
    page.push_str(&list("Before it", &text::events(it, zone, 10)));
    let links = text::links(it).into_iter().map(|(name, url)| {
        format!(
            "<a href=\"{}\" style=\"display:inline-block;margin:14px 10px 0 0;padding:7px 14px;\
             border:1px solid #1967b2;border-radius:4px;color:#1967b2;text-decoration:none\">{name}</a>",
            html(url)
        )
    });
    page + &links.collect::<Vec<_>>().concat()
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: Vec<String> = lines.iter().map(|line| format!("<li>{}</li>", html(line))).collect();
    let items = items.concat();
    let title = if title.is_empty() {
        String::new()
    } else {
        format!("<p style=\"margin:14px 0 4px;font-weight:600\">{title}</p>")
    };
    format!("{title}<ul style=\"margin:0;padding-left:20px\">{items}</ul>")
}

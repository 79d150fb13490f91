//! The live interface, by a real WebSocket.

use std::io::ErrorKind;
use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::program::{ON_WINDOWS, PATIENCE, Server};

fn connect(server: &Server) -> WebSocket<TcpStream> {
    let socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("ws://{}/api/live", server.address);
    tungstenite::client(url, socket).unwrap().0
}

fn next(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
            Ok(_) => {}
            // A signal is no answer.
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn next_of(socket: &mut WebSocket<TcpStream>, kind: &str) -> Value {
    loop {
        let message = next(socket);
        assert!(kind == "error" || message["type"] != "error", "{message}");
        if message["type"] == kind {
            return message;
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, message: &Value) {
    socket.send(Message::text(message.to_string())).unwrap();
}

#[test]
fn history_is_followed_by_ticks_without_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let mut socket = connect(&server);
    let hello = next(&mut socket);
    assert_eq!((&hello["type"], &hello["interval_ms"]), (&json!("hello"), &json!(1000)));

    let query = json!({"metric": "cpu_seconds_total", "rate": true, "by": ["mode"]});
    say(
        &mut socket,
        &json!({"type": "subscribe", "id": "cpu", "query": query, "from_ms": 0, "step_ms": 1000}),
    );
    let history = next_of(&mut socket, "history");
    let series = history["series"].as_array().unwrap();
    assert!(series.iter().any(|one| one["labels"] == json!({"mode": "user"})), "{history}");
    let steps = series[0]["avg"].as_array().unwrap().len();
    let mut end_ms = history["from_ms"].as_i64().unwrap() + 1000 * i64::try_from(steps).unwrap();
    for _ in 0..3 {
        let tick = next_of(&mut socket, "tick");
        assert_eq!(tick["time_ms"].as_i64().unwrap(), end_ms, "after {history}");
        assert_eq!(tick["values"]["cpu"].as_array().unwrap().len(), series.len());
        end_ms += 1000;
    }
}

#[test]
fn past_range_ends_and_nothing_follows() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let mut socket = connect(&server);
    let now_ms = next(&mut socket)["server_time_ms"].as_i64().unwrap();
    let wish = |id: &str, to_ms: Value| {
        json!({"type": "subscribe", "id": id, "query": {"metric": "cpu_count"},
               "from_ms": 0, "to_ms": to_ms, "step_ms": 1000})
    };
    say(&mut socket, &wish("past", json!(now_ms)));
    assert_eq!(next_of(&mut socket, "history")["id"], "past");
    say(&mut socket, &wish("live", Value::Null));
    assert_eq!(next_of(&mut socket, "history")["id"], "live");
    let values = next_of(&mut socket, "tick")["values"].clone();
    assert_eq!(values.as_object().unwrap().keys().collect::<Vec<_>>(), ["live"]);
    say(&mut socket, &json!({"type": "unsubscribe", "id": "live"}));
    say(&mut socket, &wish("other", Value::Null));
    next_of(&mut socket, "history");
    let values = next_of(&mut socket, "tick")["values"].clone();
    assert_eq!(values.as_object().unwrap().keys().collect::<Vec<_>>(), ["other"]);
}

#[test]
fn mistakes_are_answered_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut socket = connect(&server);
    next(&mut socket);
    let mut code = |message: &str| {
        socket.send(Message::text(message.to_owned())).unwrap();
        next_of(&mut socket, "error")["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("not json"), "bad_message");
    assert_eq!(code(r#"{"type": "dance"}"#), "bad_message");
    let wish = |id: &str, metric: &str, step_ms: i64| {
        json!({"type": "subscribe", "id": id, "query": {"metric": metric}, "from_ms": 0,
               "step_ms": step_ms})
        .to_string()
    };
    assert_eq!(code(&wish("", "cpu_usage", 1000)), "bad_subscription");
    assert_eq!(code(&wish("a", "", 1000)), "bad_subscription");
    assert_eq!(code(&wish("a", "cpu_usage", 10)), "bad_subscription");
    let too_many: Vec<String> =
        (0..257).map(|i| wish(&format!("s{i}"), "cpu_usage", 1000)).collect();
    for one in &too_many {
        socket.send(Message::text(one.clone())).unwrap();
    }
    assert_eq!(next_of(&mut socket, "error")["code"], "too_many_subscriptions");
}

#[test]
fn foreign_page_cannot_open_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let socket = TcpStream::connect(server.address).unwrap();
    let request = tungstenite::http::Request::builder()
        .uri(format!("ws://{}/api/live", server.address))
        .header("Host", server.address.to_string())
        .header("Origin", "http://evil.example")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(())
        .unwrap();
    let error = tungstenite::client(request, socket).unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
}

#[test]
fn server_says_goodbye_when_it_stops() {
    if ON_WINDOWS {
        // Without a console there is no gentle way to end a program there; see `Server::stop`.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut socket = connect(&server);
    next(&mut socket);
    assert!(server.stop().success());
    loop {
        match socket.read() {
            Ok(Message::Close(Some(frame))) => {
                assert_eq!(u16::from(frame.code), 1001);
                return;
            }
            Ok(_) => {}
            Err(error) => panic!("no goodbye: {error}"),
        }
    }
}

#[test]
fn event_stream_sends_the_named_headline_values() {
    use std::io::{BufRead, BufReader, Write};

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    server.wait_for_values();
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
        .write_all(b"GET /api/stream?metrics=cpu_usage HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let events: Vec<Value> = BufReader::new(socket)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .take(2)
        .collect();
    let names: Vec<_> = events[0]["system"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["cpu_usage"]);
    assert_ne!(events[0]["timestamp"], events[1]["timestamp"]);
    assert_eq!(server.request("/api/stream?metrics=cpu", "localhost").status, 404);
}

//! A receiver over HTTP on this machine, which does what it is told, and remembers what it got.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tracing_mutex::stdsync::Mutex;

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answers with these bytes.
    Say(String),
    /// Answers a status with a body of so many bytes.
    Flood { declared: bool, bytes: usize },
    /// Answers a status, promises more, and hangs up.
    BreakOff,
    /// Hangs up without an answer.
    HangUp,
    /// Says nothing.
    Sleep,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_str(&self.body).unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Request>>>,
}

pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> Act {
    let length = body.len();
    Act::Say(format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

pub(crate) fn json(status: &str, body: &str) -> Act {
    answer(status, "application/json", body)
}

impl Receiver {
    /// Does the acts in their order, one a request, and the last for all others.
    pub(crate) async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Request>>> = Arc::default();
        let seen = Arc::clone(&got);
        tokio::spawn(async move {
            let mut acts = acts.into_iter();
            let mut act = acts.next().unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, act.clone(), Arc::clone(&seen)));
                act = acts.next().unwrap_or(act);
            }
        });
        Self { url, got }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn only(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }
}

async fn serve(mut socket: TcpStream, act: Act, got: Arc<Mutex<Vec<Request>>>) {
    let request = read(&mut socket).await;
    got.lock().unwrap().push(request);
    let wrote = match act {
        Act::Say(text) => socket.write_all(text.as_bytes()).await,
        Act::Flood { declared, bytes } => flood(&mut socket, declared, bytes).await,
        Act::BreakOff => {
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok").await
        }
        Act::HangUp => Ok(()),
        Act::Sleep => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(())
        }
    };
    // Who has heard enough hangs up before the end.
    drop(wrote);
}

async fn flood(socket: &mut TcpStream, declared: bool, bytes: usize) -> std::io::Result<()> {
    let length = if declared {
        format!("content-length: {bytes}\r\n")
    } else {
        "connection: close\r\n".into()
    };
    socket.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n").as_bytes()).await?;
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..bytes / piece.len() {
        socket.write_all(&piece).await?;
    }
    Ok(())
}

async fn read(socket: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next().unwrap().to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let request = Request { line, headers, body: body.to_owned() };
            let length = request.header("content-length").map_or(0, |it| it.parse().unwrap());
            if body.len() >= length {
                return request;
            }
        }
        if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return Request::default();
        }
    }
}

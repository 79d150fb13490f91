//! The live interface: one WebSocket per page, many subscriptions on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::app::{App, Context};
use crate::history::{History, HistoryAnswer};
use crate::top::Top;

use super::error::ApiError;
use super::messages::{FromClient, Subscribe, ToClient};
use super::range::{AnswerLabels, CancelOnDrop, find_top, histories_permit, history_error};
use super::subscription::Subscription;
use super::waiting::wait;

const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// A tall screen full of charts, with two or three questions each.
const MAX_SUBSCRIPTIONS: usize = 256;
const MAX_ID_CHARS: usize = 64;
/// A client that takes no bytes for this long is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Keeps proxies from closing a quiet connection, and finds dead ones.
const PING_EVERY: Duration = Duration::from_secs(20);

pub(crate) async fn live(
    State(context): State<Context>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let permit = live_permit(&context)?;
    Ok(upgrade.max_message_size(MAX_MESSAGE_BYTES).on_upgrade(move |socket| async move {
        let _permit = permit;
        let (sender, finished) = mpsc::channel(MAX_SUBSCRIPTIONS);
        let mut connection =
            Connection { context, socket, subscriptions: BTreeMap::new(), started: 0, sender };
        if let Err(gone) = connection.run(finished).await {
            tracing::debug!(reason = gone.0, "live connection ended");
        }
    }))
}

/// One of the places for live connections.
///
/// # Errors
/// None is free.
pub(crate) fn live_permit(app: &App) -> Result<OwnedSemaphorePermit, ApiError> {
    Arc::clone(&app.limits.live).try_acquire_owned().map_err(|_| {
        ApiError::unavailable(
            "too_many_connections",
            format!("{} live connections are open, which is the limit", app.limits.max_live),
        )
    })
}

/// Why a connection ended.
#[derive(Debug)]
struct Gone(&'static str);

struct Connection {
    context: Context,
    socket: WebSocket,
    subscriptions: BTreeMap<String, Stage>,
    /// Counts subscriptions, to tell a replaced one's late history from its successor's.
    started: u64,
    sender: mpsc::Sender<Loaded>,
}

enum Stage {
    Loading { number: u64, _cancel: CancelOnDrop },
    Live(Subscription),
}

/// A history that was read for a subscription.
struct Loaded {
    id: String,
    number: u64,
    result: Result<(HistoryAnswer, Option<(Subscription, i64)>), ApiError>,
}

impl Connection {
    async fn run(&mut self, mut finished: mpsc::Receiver<Loaded>) -> Result<(), Gone> {
        let mut ticks = self.context.latest.watch();
        let mut context = self.context.clone();
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.reset();
        self.hello().await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.on_text(&text).await?,
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(Message::Binary(_))) => {
                        self.refuse(None, "bad_message", "messages are JSON texts").await?;
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Err(_)) => return Err(Gone("broken")),
                },
                Some(loaded) = finished.recv() => self.on_loaded(loaded).await?,
                changed = ticks.changed() => {
                    changed.map_err(|_| Gone("no more ticks"))?;
                    self.on_tick(None).await?;
                }
                () = context.stopped() => return self.say_goodbye().await,
                _ = ping.tick() => self.send(Message::Ping(axum::body::Bytes::new())).await?,
            }
        }
    }

    async fn hello(&mut self) -> Result<(), Gone> {
        let app = Arc::clone(&self.context.app);
        self.say(&ToClient::Hello {
            host: &app.host.host,
            version: env!("CARGO_PKG_VERSION"),
            server_time_ms: app.clock.now_ms(),
            interval_ms: app.interval_ms,
            oldest_ms: app.oldest_ms(),
        })
        .await
    }

    async fn on_text(&mut self, text: &str) -> Result<(), Gone> {
        match serde_json::from_str(text) {
            Ok(FromClient::Subscribe(subscribe)) => self.subscribe(subscribe).await,
            Ok(FromClient::Unsubscribe { id }) => {
                self.subscriptions.remove(&id);
                Ok(())
            }
            Err(error) => self.refuse(None, "bad_message", &error.to_string()).await,
        }
    }

    async fn subscribe(&mut self, wish: Subscribe) -> Result<(), Gone> {
        if let Err(refusal) = self.check(&wish) {
            let id = wish.id.chars().take(MAX_ID_CHARS).collect::<String>();
            return self.refuse(Some(&id), refusal.code, &refusal.message).await;
        }
        self.started += 1;
        let cancel = CancelOnDrop::default();
        let job = Job {
            context: self.context.clone(),
            number: self.started,
            cancelled: Arc::clone(&cancel.0),
            sender: self.sender.clone(),
        };
        let state = Stage::Loading { number: self.started, _cancel: cancel };
        self.subscriptions.insert(wish.id.clone(), state);
        tokio::spawn(job.run(wish));
        Ok(())
    }

    fn check(&self, wish: &Subscribe) -> Result<(), ApiError> {
        let bad = |message: String| ApiError::bad_request("bad_subscription", message);
        let id_chars = wish.id.chars().count();
        if id_chars == 0 || id_chars > MAX_ID_CHARS {
            return Err(bad(format!("`id` has 1 to {MAX_ID_CHARS} characters, not {id_chars}")));
        }
        wish.query.check().map_err(|error| bad(error.to_string()))?;
        if !(1000..=History::MAX_STEP_MS).contains(&wish.step_ms) {
            return Err(bad("`step_ms` is 1000 up to 30 days".into()));
        }
        if wish.from_ms < 0 || wish.to_ms.is_some_and(|to_ms| to_ms < wish.from_ms) {
            return Err(bad("`from_ms` is 0 or later, and `to_ms` not before it".into()));
        }
        let replaces = self.subscriptions.contains_key(&wish.id);
        if !replaces && self.subscriptions.len() == MAX_SUBSCRIPTIONS {
            return Err(ApiError::over_limit(
                "too_many_subscriptions",
                format!("a connection has at most {MAX_SUBSCRIPTIONS} subscriptions"),
            ));
        }
        Ok(())
    }

    async fn on_loaded(&mut self, loaded: Loaded) -> Result<(), Gone> {
        let Loaded { id, number, result } = loaded;
        match self.subscriptions.get(&id) {
            Some(Stage::Loading { number: current, .. }) if *current == number => {}
            _ => return Ok(()),
        }
        self.subscriptions.remove(&id);
        match result {
            Err(error) => self.refuse(Some(&id), error.code, &error.message).await,
            Ok((answer, live)) => {
                self.say(&ToClient::History { id: &id, answer: &answer }).await?;
                let Some((subscription, read_to_ms)) = live else { return Ok(()) };
                self.subscriptions.insert(id.clone(), Stage::Live(subscription));
                let newest_ms = self.context.latest.read().time_ms();
                if newest_ms > read_to_ms { self.on_tick(Some(&id)).await } else { Ok(()) }
            }
        }
    }

    /// Sends the newest values, of one subscription or of all.
    async fn on_tick(&mut self, only: Option<&str>) -> Result<(), Gone> {
        let mut texts = Vec::new();
        {
            let table = self.context.app.latest.read();
            let mut values = BTreeMap::new();
            for (id, state) in &mut self.subscriptions {
                let Stage::Live(subscription) = state else { continue };
                if only.is_some_and(|only| only != id) {
                    continue;
                }
                let (now, new) = subscription.tick(&table);
                for one in &new {
                    let message = ToClient::Series { id, index: one.index, labels: &one.labels };
                    texts.push(serde_json::to_string(&message));
                }
                values.insert(id.as_str(), now);
            }
            if !values.is_empty() {
                let tick = ToClient::Tick { time_ms: table.time_ms(), values };
                texts.push(serde_json::to_string(&tick));
            }
        }
        for text in texts {
            self.send_text(text).await?;
        }
        Ok(())
    }

    async fn refuse(&mut self, id: Option<&str>, code: &str, message: &str) -> Result<(), Gone> {
        self.say(&ToClient::Error { id, code, message }).await
    }

    async fn say(&mut self, message: &ToClient<'_>) -> Result<(), Gone> {
        self.send_text(serde_json::to_string(message)).await
    }

    async fn send_text(&mut self, text: serde_json::Result<String>) -> Result<(), Gone> {
        let text = text.map_err(|_| Gone("a message could not be written"))?;
        self.send(Message::Text(text.into())).await
    }

    async fn say_goodbye(&mut self) -> Result<(), Gone> {
        let reason = Utf8Bytes::from_static("the server stops");
        self.send(Message::Close(Some(CloseFrame { code: close_code::AWAY, reason }))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone("broken")),
            Err(_) => Err(Gone("reads too slowly")),
        }
    }
}

/// Reads a subscription's history, outside the connection's own task.
struct Job {
    context: Context,
    number: u64,
    cancelled: Arc<AtomicBool>,
    sender: mpsc::Sender<Loaded>,
}

impl Job {
    async fn run(self, wish: Subscribe) {
        let id = wish.id.clone();
        let result = self.load(wish).await;
        let loaded = Loaded { id, number: self.number, result };
        // The connection may be gone, and nobody waits for the history then.
        self.sender.send(loaded).await.unwrap_or_default();
    }

    async fn load(
        &self,
        wish: Subscribe,
    ) -> Result<(HistoryAnswer, Option<(Subscription, i64)>), ApiError> {
        let span = Span::of(&self.context.app, &wish);
        let top = find_top(&self.context, &wish.query, (span.from_ms, span.to_ms)).await?;
        let permit = histories_permit(&self.context).await?;
        let app = Arc::clone(&self.context.app);
        let cancelled = Arc::clone(&self.cancelled);
        let read = move || {
            let _permit = permit;
            load(&app, (wish, top), span, &cancelled)
        };
        wait("reading the history", read).await?
    }
}

/// The part of a wish that the store may know of.
#[derive(Debug, Clone, Copy)]
struct Span {
    from_ms: i64,
    to_ms: i64,
}

impl Span {
    fn of(app: &App, wish: &Subscribe) -> Self {
        let now_ms = app.clock.now_ms();
        let oldest_ms = app.oldest_ms().unwrap_or(now_ms);
        let to_ms = wish.to_ms.unwrap_or(now_ms).min(now_ms.max(wish.from_ms));
        Self { from_ms: wish.from_ms.max(oldest_ms).min(to_ms), to_ms }
    }
}

fn load(
    app: &App,
    (wish, top): (Subscribe, Option<Top>),
    Span { from_ms, to_ms }: Span,
    cancelled: &AtomicBool,
) -> Result<(HistoryAnswer, Option<(Subscription, i64)>), ApiError> {
    let query = wish.query.clone();
    let closed = top.is_some();
    let history = History::new(wish.query, &app.host.host, from_ms, to_ms, wish.step_ms);
    let mut history = history.only(top);
    let end_ms = if wish.to_ms.is_some() { to_ms } else { app.feed.stored_ms().min(to_ms) };
    history.read_to(&app.store, end_ms, cancelled).map_err(|error| history_error(&error))?;
    if wish.to_ms.is_some() {
        return Ok((history.finish(app.interval_ms), None));
    }
    catch_up(app, &mut history, cancelled)?;
    let series: Vec<AnswerLabels> = history.series_labels().cloned().collect();
    let read_to_ms = history.end_ms();
    let subscription = Subscription::new(query, &app.host.host, series.into_iter()).closed(closed);
    Ok((history.finish(app.interval_ms), Some((subscription, read_to_ms))))
}

/// Reads what was stored while the history was read, so that the first tick follows without a hole.
fn catch_up(app: &App, history: &mut History, cancelled: &AtomicBool) -> Result<(), ApiError> {
    const PAUSE: Duration = Duration::from_millis(10);
    const MAX_PAUSES: u32 = 50;
    let newest_ms = app.latest.read().time_ms();
    for _ in 0..MAX_PAUSES {
        if app.feed.stored_ms() >= newest_ms {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let stored_ms = app.feed.stored_ms();
    if stored_ms > history.end_ms() {
        history.read_to(&app.store, stored_ms, cancelled).map_err(|error| history_error(&error))?;
    }
    Ok(())
}

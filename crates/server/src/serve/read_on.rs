//! What of a body nobody read is read all the same, within bounds. A connection that is closed
//! while bytes wait in it is reset, and with that the sender may lose the answer (RFC 9112, 9.6).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Buf, Bytes, Frame, SizeHint};
use hyper::{HeaderMap, header};

/// Twice what the largest body may have; who sends more has to bear the reset.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// A body that is read on when it is dropped.
#[derive(Debug)]
pub(super) struct ReadOn<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    body: Option<B>,
    /// The sender waits for a word before it sends, and by the answer learns not to.
    waits: bool,
}

impl<B> ReadOn<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    pub(super) fn new(body: B, headers: &HeaderMap) -> Self {
        Self { body: Some(body), waits: headers.contains_key(header::EXPECT) }
    }
}

impl<B> Body for ReadOn<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.waits = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for ReadOn<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !self.waits && !body.is_end_stream());
        // Without a runtime there is no connection either.
        if let (Some(body), Ok(runtime)) = (left, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(PATIENCE, read_out(body)));
        }
    }
}

async fn read_out(mut body: impl Body<Data = Bytes> + Unpin) {
    let mut bytes = 0;
    while bytes <= MAX_BYTES {
        let Some(Ok(frame)) = body.frame().await else { return };
        bytes += frame.data_ref().map_or(0, Buf::remaining);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// So many pieces of a mebibyte, and then nothing for ever; counts those that were read, and
    /// itself when it goes.
    struct Pieces {
        left: usize,
        read: Arc<AtomicUsize>,
    }

    const PIECE: usize = 1024 * 1024;

    impl Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.left == 0 {
                return Poll::Pending;
            }
            self.left -= 1;
            self.read.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; PIECE])))))
        }
    }

    /// How many pieces of some are read after the body was dropped, and whether it is gone after
    /// the time for that.
    async fn read_after_drop(left: usize, headers: &HeaderMap) -> (usize, bool) {
        let read = Arc::new(AtomicUsize::new(0));
        drop(ReadOn::new(Pieces { left, read: Arc::clone(&read) }, headers));
        tokio::time::sleep(PATIENCE * 2).await;
        (read.load(Ordering::Relaxed), Arc::strong_count(&read) == 1)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_read_within_bounds() {
        let none = HeaderMap::new();
        assert_eq!(read_after_drop(3, &none).await, (3, true));
        assert_eq!(read_after_drop(1000, &none).await, (MAX_BYTES / PIECE + 1, true));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_before_sending_is_not_asked_to() {
        let mut waits = HeaderMap::new();
        waits.insert(header::EXPECT, header::HeaderValue::from_static("100-continue"));
        assert_eq!(read_after_drop(3, &waits).await, (0, true));
    }
}

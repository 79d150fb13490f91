//! Work that waits for a disk, away from the threads that answer.

use super::error::ApiError;

/// Does it on a thread that may wait. `what` says what it is, such as "reading the history".
///
/// # Errors
/// It panicked.
pub(super) async fn wait<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ApiError::internal("panic", format!("{what} failed; see the log")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_for_work_that_panics_is_told_so() {
        assert_eq!(wait("adding", || 1 + 1).await.unwrap(), 2);
        let broken = wait::<()>("adding", || panic!("as a bug would")).await.unwrap_err();
        assert_eq!((broken.status.as_u16(), broken.code), (500, "panic"));
        assert_eq!(broken.message, "adding failed; see the log");
    }
}

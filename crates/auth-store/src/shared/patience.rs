//! How long a call may take, and when it is sent again.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use auth_core::{Error, ErrorKind};

use super::SharedStore;
use crate::backend::Backend;

impl<B: Backend> SharedStore<B> {
    /// A call's answer within the patience since `began`. It is sent again once: at half of the
    /// patience, or at once if it failed (a connection that a server closed is seen only by using
    /// it).
    pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(
        &self,
        began: Duration,
        call: impl Fn() -> F,
    ) -> Result<T, Error> {
        if let Some(Ok(answer)) = self.within(self.patience / 2, call()).await {
            return Ok(answer);
        }
        let answer = self.within(self.rest(began), call()).await;
        answer.unwrap_or_else(|| {
            let text = format!("the token store gave no answer in {:?}", self.patience);
            Err(Error::new(ErrorKind::Store, text))
        })
    }

    /// What is left of the patience since `began`.
    pub(super) fn rest(&self, began: Duration) -> Duration {
        self.patience.saturating_sub(self.now().saturating_sub(began))
    }

    /// A future's output, or `None` if `limit` passed first.
    pub(super) async fn within<F: Future>(&self, limit: Duration, call: F) -> Option<F::Output> {
        let mut call = pin!(call);
        // Only if it is needed: without a runtime each timer is a thread.
        let mut timer = None;
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => {
                let timer = timer.get_or_insert_with(|| self.clock.sleep(limit));
                timer.as_mut().poll(cx).map(|()| None)
            }
        })
        .await
    }
}

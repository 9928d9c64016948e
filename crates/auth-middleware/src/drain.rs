//! Reads the rest of a refused answer, so that its connection can carry the next request.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use auth_core::{Clock, SystemClock};
use bytes::Buf;
use http_body::Body;

/// The most that is read of a refused answer: a longer one costs more than a new connection.
const LIMIT: u64 = 64 * 1024;
/// The longest time that this takes.
const TIME: Duration = Duration::from_secs(1);

/// Reads a body to its end, within the bounds.
pub(crate) async fn drain(body: impl Body) {
    if body.size_hint().lower() > LIMIT {
        return;
    }
    let (mut body, mut left, mut timer) = (pin!(body), LIMIT, None);
    std::future::poll_fn(|cx| {
        while let Poll::Ready(frame) = body.as_mut().poll_frame(cx) {
            let Some(Ok(frame)) = frame else { return Poll::Ready(()) };
            let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return Poll::Ready(()),
            }
        }
        // Most answers have arrived whole and need no timer.
        timer.get_or_insert_with(|| SystemClock.sleep(TIME)).as_mut().poll(cx)
    })
    .await;
}

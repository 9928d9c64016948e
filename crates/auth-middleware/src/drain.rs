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
            // An empty chunk counts too: they may have no end, and never let the timer be asked.
            match left.checked_sub(length.max(1)) {
                Some(rest) => left = rest,
                None => return Poll::Ready(()),
            }
        }
        // Most answers have arrived whole and need no timer.
        timer.get_or_insert_with(|| SystemClock.sleep(TIME)).as_mut().poll(cx)
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::Context;

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// So many chunks of 1 KiB, and then an end or nothing more.
    struct Chunks {
        left: usize,
        read: usize,
        ends: bool,
    }

    impl Body for &mut Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return if self.ends { Poll::Ready(None) } else { Poll::Pending };
            }
            self.left -= 1;
            self.read += 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1024])))))
        }
    }

    /// Empty chunks, always at hand.
    #[derive(Default)]
    struct Hollow {
        read: u64,
    }

    impl Body for &mut Hollow {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.read += 1;
            assert!(self.read <= 2 * LIMIT, "reads on for ever");
            Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
        }
    }

    #[tokio::test]
    async fn empty_chunks_count_too() {
        let mut body = Hollow::default();
        drain(&mut body).await;
        assert_eq!(body.read, LIMIT + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_for_64_kib_and_one_second_at_most() {
        for (left, ends, read, waits) in
            [(0, true, 0, 0), (64, true, 64, 0), (1000, true, 65, 0), (3, false, 3, 1)]
        {
            let mut body = Chunks { left, read: 0, ends };
            let began = tokio::time::Instant::now();
            drain(&mut body).await;
            assert_eq!((body.read, began.elapsed().as_secs()), (read, waits), "{left}");
        }
    }
}

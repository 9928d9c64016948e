//! How the body of a request is copied, for a request that may be sent again.

use http_body::Body;

/// Copies bodies: a function or closure `Fn(&B) -> Option<B>`, or [`EmptyBody`].
///
/// ```
/// use auth_middleware::{CloneBody, EmptyBody};
/// use http_body_util::Full;
///
/// let (empty, full) = (Full::<&[u8]>::default(), Full::new(&b"amount=1"[..]));
/// assert!(EmptyBody.clone_body(&empty).is_some());
/// assert!(EmptyBody.clone_body(&full).is_none());
/// assert!((|body: &Full<&'static [u8]>| Some(body.clone())).clone_body(&full).is_some());
/// ```
pub trait CloneBody<B> {
    /// Returns a copy, or `None` if there can be none: the request is then sent once only.
    fn clone_body(&self, body: &B) -> Option<B>;
}

impl<B, F: Fn(&B) -> Option<B>> CloneBody<B> for F {
    fn clone_body(&self, body: &B) -> Option<B> {
        self(body)
    }
}

/// Copies no bytes: only an empty body has a copy, made with `Default`. What a layer does unless
/// told otherwise.
///
/// ```
/// use auth_middleware::{CloneBody, EmptyBody};
/// use http_body_util::Empty;
///
/// assert!(EmptyBody.clone_body(&Empty::<&[u8]>::new()).is_some());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs)] // there is nothing that it could hold
pub struct EmptyBody;

impl<B: Body + Default> CloneBody<B> for EmptyBody {
    fn clone_body(&self, body: &B) -> Option<B> {
        body.is_end_stream().then(B::default)
    }
}

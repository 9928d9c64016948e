//! The answer to come. A request with a fresh token allocates nothing here but after a 401.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use auth_core::AccessToken;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{origin, with_token};
use crate::auth::TokenAuth;
use crate::drain::drain;
use crate::error::Error;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Boxed<R> = Pin<Box<dyn Future<Output = Result<R, BoxError>> + Send>>;

/// A request with a token that was sent, and what it takes to send it once more.
pub(super) struct Sent<S, B> {
    pub(super) auth: Arc<TokenAuth>,
    pub(super) token: AccessToken,
    pub(super) again: Option<Request<B>>,
    pub(super) inner: S,
}

impl<S, B, R> Sent<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    /// Turns the first answer into the caller's: after a 401 the token is dropped, and the request
    /// sent once more if it may be and there is another token.
    pub(super) async fn settle(mut self, answer: Response<R>) -> Result<Response<R>, BoxError> {
        let (mut head, body) = answer.into_parts();
        let rules = self.auth.rules();
        let refused = rules.drop_refused(&self.token, &head);
        let (true, Some(again)) = (refused, self.again) else {
            return Ok(Response::from_parts(head, body));
        };
        let to = origin(again.uri()).ok();
        let renewed = rules.renewed(&self.token, to, &mut head.extensions).await;
        let Some(renewed) = renewed else { return Ok(Response::from_parts(head, body)) };
        drain(body).await;
        std::future::poll_fn(|cx| self.inner.poll_ready(cx)).await.map_err(Into::into)?;
        self.inner.call(with_token(again, &renewed)).await.map_err(Into::into)
    }
}

pin_project! {
    /// The future of an [`AuthService`](crate::AuthService).
    ///
    /// Dropping it abandons the request. A token that is being fetched is kept for the next one: see
    /// [`TokenSource::token`](auth_core::TokenSource::token).
    ///
    /// ```
    /// use auth_middleware::{AuthFuture, AuthService};
    /// use tower::Service;
    ///
    /// fn send<S, B, R>(api: &mut AuthService<S>, request: http::Request<B>) -> AuthFuture<S, B>
    /// where
    ///     S: Service<http::Request<B>>,
    ///     AuthService<S>: Service<http::Request<B>, Future = AuthFuture<S, B>>,
    /// {
    ///     api.call(request)
    /// }
    /// ```
    pub struct AuthFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, S::Response, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R, B> {
        Failed { error: Option<Error> },
        /// Sent at once. `sent` is `None` for a request with the caller's own authorization.
        Sending { #[pin] answer: F, sent: Option<Sent<S, B>> },
        /// A token has to be fetched, or was refused.
        Boxed { answer: Boxed<R> },
    }
}

impl<S, B> AuthFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn failed(error: Error) -> Self {
        Self { state: State::Failed { error: Some(error) } }
    }

    pub(super) fn sending(answer: S::Future, sent: Option<Sent<S, B>>) -> Self {
        Self { state: State::Sending { answer, sent } }
    }

    pub(super) fn boxed(
        answer: impl Future<Output = Result<S::Response, BoxError>> + Send + 'static,
    ) -> Self {
        Self { state: State::Boxed { answer: Box::pin(answer) } }
    }
}

impl<S, B, R> Future for AuthFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Send + 'static,
    R: Body + Send + 'static,
{
    type Output = Result<Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let boxed: Boxed<Response<R>> = match state.as_mut().project() {
                StateProjection::Failed { error } => {
                    let error = error.take().map(|error| Poll::Ready(Err(error.into())));
                    return error.unwrap_or(Poll::Pending); // answered before
                }
                StateProjection::Sending { answer, sent } => {
                    let answer = ready!(answer.poll(cx)).map_err(Into::into)?;
                    match sent.take() {
                        Some(sent) if answer.status() == StatusCode::UNAUTHORIZED => {
                            Box::pin(sent.settle(answer))
                        }
                        _ => return Poll::Ready(Ok(answer)),
                    }
                }
                StateProjection::Boxed { answer } => return answer.as_mut().poll(cx),
            };
            state.set(State::Boxed { answer: boxed });
        }
    }
}

impl<S, B> fmt::Debug for AuthFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}

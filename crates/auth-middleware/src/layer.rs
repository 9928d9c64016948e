//! The tower layer over any service that takes `http::Request<B>`.

mod body;
mod future;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_core::AccessToken;
use http::{Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::{CloneBody, EmptyBody};
pub use self::future::AuthFuture;
use self::future::{BoxError, Sent};
use crate::auth::{AllowReplay, TokenAuth};
use crate::error::Error;
use crate::rules::{Origin, is_authorized, may_repeat};

/// A layer that puts a token on every request to the API's own hosts, and renews it once after a
/// 401.
///
/// **It belongs inside whatever follows redirects** (`tower_http::follow_redirect`), next to the
/// client. There it sees each hop as a request of its own: a hop to a host off the list is an error,
/// and nothing is sent. Outside, the follower would carry the token's headers to any host, and
/// nobody could see it.
///
/// A request without a body is sent again after a 401 if its method is idempotent. For others say
/// how a body is copied, with [`clone_body`](Self::clone_body), and that a POST may be sent twice,
/// with [`AllowReplay`].
///
/// Errors are boxed, as tower's own middleware does: those of this crate can be downcast to
/// [`Error`].
///
/// ```
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::{AuthLayer, TokenAuth};
/// use http::header::AUTHORIZATION;
/// use http_body_util::Empty;
/// use tower::{Layer, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// type Body = Empty<&'static [u8]>;
/// let client = tower::service_fn(async |request: http::Request<Body>| { // hyper's, say
///     assert_eq!(request.headers()[AUTHORIZATION], "Bearer made-up");
///     Ok::<_, std::io::Error>(http::Response::new(Body::new()))
/// });
///
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
/// let api = AuthLayer::new(auth)?.layer(client);
///
/// let answer = api.oneshot(http::Request::get("https://api.example.com/").body(Body::new())?).await?;
/// assert_eq!(answer.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AuthLayer<C = EmptyBody> {
    auth: Arc<TokenAuth>,
    clone_body: C,
    allow_replay: bool,
}

impl AuthLayer {
    /// Makes a layer that sends no request with a body twice.
    ///
    /// # Errors
    /// [`Error::NoHosts`].
    pub fn new(auth: impl Into<TokenAuth>) -> Result<Self, Error> {
        Ok(Self {
            auth: Arc::new(auth.into().checked()?),
            clone_body: EmptyBody,
            allow_replay: false,
        })
    }
}

impl<C> AuthLayer<C> {
    /// Says how the body of a request is copied that may be sent again: `Some` of the copy, or
    /// `None` for a body that cannot be, such as a stream.
    ///
    /// It is asked before the request is sent, and not for a request that is sent once only. So a
    /// copy should be cheap, as that of `Bytes` is.
    ///
    /// ```
    /// use auth_core::{Endpoint, StaticTokenSource};
    /// use auth_middleware::{AuthLayer, TokenAuth};
    /// use http_body_util::Full;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tokens = StaticTokenSource::bearer("made-up")?;
    /// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
    /// let layer = AuthLayer::new(auth)?;
    /// let layer = layer.clone_body(|body: &Full<&'static [u8]>| Some(body.clone()));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn clone_body<D>(self, clone_body: D) -> AuthLayer<D> {
        AuthLayer { auth: self.auth, clone_body, allow_replay: self.allow_replay }
    }

    /// Allows every request of this layer to be sent a second time after a 401, POSTs among them: what
    /// [`AllowReplay`] does for one request. For an API where each request has an idempotency key, or
    /// that only reads.
    ///
    /// ```
    /// use auth_core::{Endpoint, StaticTokenSource};
    /// use auth_middleware::{AuthLayer, TokenAuth};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tokens = StaticTokenSource::bearer("made-up")?;
    /// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://search.example.com")?);
    /// let layer = AuthLayer::new(auth)?.allow_replay();
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn allow_replay(mut self) -> Self {
        self.allow_replay = true;
        self
    }
}

impl<C> fmt::Debug for AuthLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl<S, C: Clone> Layer<S> for AuthLayer<C> {
    type Service = AuthService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { inner, layer: self.clone() }
    }
}

/// The service that an [`AuthLayer`] makes of yours.
///
/// ```
/// use auth_middleware::AuthService;
///
/// struct Api<S> { http: AuthService<S> }
/// ```
#[derive(Clone)]
pub struct AuthService<S, C = EmptyBody> {
    inner: S,
    layer: AuthLayer<C>,
}

impl<S, C> fmt::Debug for AuthService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService").field("auth", &self.layer.auth).finish_non_exhaustive()
    }
}

impl<S, C, B, R> Service<Request<B>> for AuthService<S, C>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Send + 'static,
    R: Body + Send + 'static,
    C: CloneBody<B>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = AuthFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready takes this request; its clone is for the next one.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let auth = &self.layer.auth;
        let listed =
            origin(request.uri()).and_then(|to| auth.rules().listed_host(to, request.headers()));
        if let Err(error) = listed {
            return AuthFuture::failed(error);
        }
        if is_authorized(request.headers()) {
            return AuthFuture::sending(inner.call(request), None);
        }
        let allowed =
            self.layer.allow_replay || request.extensions().get::<AllowReplay>().is_some();
        let again = if may_repeat(request.method(), allowed) {
            self.layer.clone_body.clone_body(request.body()).map(|body| copy(&request, body))
        } else {
            None
        };
        let auth = Arc::clone(auth);
        match auth.rules().fresh() {
            Some(token) => {
                let sending = inner.call(with_token(request, &token));
                AuthFuture::sending(sending, Some(Sent { auth, token, again, inner }))
            }
            None => AuthFuture::boxed(async move {
                let token = auth.rules().token().await.map_err(Error::from)?;
                let answer = inner.call(with_token(request, &token)).await.map_err(Into::into)?;
                Sent { auth, token, again, inner }.settle(answer).await
            }),
        }
    }
}

fn origin(uri: &Uri) -> Result<Origin<'_>, Error> {
    let (scheme, host) = uri.scheme_str().zip(uri.host()).ok_or(Error::NotAbsolute)?;
    let port = uri.port_u16();
    // `http` lets any text pass after the colon, and another parser may read it in its own way.
    let place = uri.authority().and_then(|authority| authority.as_str().rsplit('@').next());
    let after_host = place.and_then(|place| place.strip_prefix(host));
    if port.is_none() && !matches!(after_host, Some("" | ":")) {
        return Err(Error::NotAbsolute);
    }
    Ok(Origin { scheme, host, port })
}

fn with_token<B>(mut request: Request<B>, token: &AccessToken) -> Request<B> {
    token.apply(request.headers_mut());
    request
}

/// The same request once more, with a copy of its body.
fn copy<B>(request: &Request<B>, body: B) -> Request<B> {
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy
}

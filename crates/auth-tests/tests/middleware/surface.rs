//! The HTTP libraries behind one type, so that a case is written once.

use std::pin::Pin;
use std::task::{Context, Poll};

use auth_middleware::reqwest_0_13::Sending;
use auth_middleware::{
    AllowReplay, AuthLayer, AuthService, RenewalFailed, SendWith, TokenAuth, client_with,
    redirect_policy,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientWithMiddleware;
use tower::{Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirect;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Reqwest,
    Middleware,
    Hyper,
    /// The tower layer inside tower-http's follower of redirects.
    Follower,
}

pub(crate) const ALL: [Surface; 4] =
    [Surface::Reqwest, Surface::Middleware, Surface::Hyper, Surface::Follower];

/// A request in the words that the libraries share.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'static str,
    pub(crate) is_stream: bool,
    pub(crate) allow_replay: bool,
}

impl Call {
    pub(crate) fn new(method: Method, url: String) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: "",
            is_stream: false,
            allow_replay: false,
        }
    }

    pub(crate) fn get(url: String) -> Self {
        Self::new(Method::GET, url)
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) renewal_failed: Option<RenewalFailed>,
}

type Hyper = AuthService<Client<HttpConnector, TestBody>, fn(&TestBody) -> Option<TestBody>>;

/// A client of one library with a token.
#[derive(Clone)]
pub(crate) enum Caller {
    Reqwest(reqwest::Client, TokenAuth),
    Middleware(ClientWithMiddleware),
    Hyper(Hyper),
    Follower(FollowRedirect<Hyper>),
}

impl Surface {
    pub(crate) fn caller(self, auth: impl Into<TokenAuth>) -> Caller {
        let auth = auth.into();
        let hyper = |auth| {
            let client = Client::builder(TokioExecutor::new()).build_http();
            let copy: fn(&TestBody) -> Option<TestBody> = TestBody::copy;
            AuthLayer::new(auth).unwrap().clone_body(copy).layer(client)
        };
        match self {
            Self::Reqwest => {
                let client = builder().redirect(redirect_policy()).build().unwrap();
                Caller::Reqwest(client, auth)
            }
            Self::Middleware => Caller::Middleware(client_with(auth, builder()).unwrap()),
            Self::Hyper => Caller::Hyper(hyper(auth)),
            Self::Follower => Caller::Follower(FollowRedirect::new(hyper(auth))),
        }
    }
}

/// Without certificates, whose reading takes most of the time of a test.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

impl Caller {
    pub(crate) async fn get(&self, url: String) -> Result<Answer, String> {
        self.call(&Call::get(url)).await
    }

    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, String> {
        match self {
            Self::Reqwest(client, auth) => {
                let sending = reqwest_request(client, call).send_with(auth);
                let sending = if call.allow_replay { sending.allow_replay() } else { sending };
                answer(Sending::into_future(sending).await.map_err(shown)?)
            }
            Self::Middleware(client) => {
                let request = reqwest_request(client.as_ref(), call).build().map_err(shown)?;
                let mut extensions = http::Extensions::new();
                if call.allow_replay {
                    extensions.insert(AllowReplay);
                }
                let answered = client.execute_with_extensions(request, &mut extensions).await;
                answer(answered.map_err(shown)?)
            }
            Self::Hyper(service) => tower_answer(service.clone(), call).await,
            Self::Follower(service) => tower_answer(service.clone(), call).await,
        }
    }
}

fn reqwest_request(client: &reqwest::Client, call: &Call) -> reqwest::RequestBuilder {
    let request = client.request(call.method.clone(), &call.url).headers(call.headers.clone());
    match (call.body, call.is_stream) {
        ("", _) => request,
        (body, false) => request.body(body),
        (_, true) => request.body(reqwest::Body::wrap(TestBody::of(call))),
    }
}

fn answer(response: reqwest::Response) -> Result<Answer, String> {
    let renewal_failed = response.extensions().get().cloned();
    Ok(Answer { status: response.status().as_u16(), renewal_failed })
}

async fn tower_answer<S, B>(service: S, call: &Call) -> Result<Answer, String>
where
    S: tower::Service<Request<TestBody>, Response = http::Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut request = Request::new(TestBody::of(call));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = call.url.parse().unwrap();
    *request.headers_mut() = call.headers.clone();
    if call.allow_replay {
        request.extensions_mut().insert(AllowReplay);
    }
    let response = service.oneshot(request).await.map_err(|error| chain(&*error.into()))?;
    let renewal_failed = response.extensions().get().cloned();
    Ok(Answer { status: response.status().as_u16(), renewal_failed })
}

fn shown(error: impl std::error::Error + 'static) -> String {
    chain(&error)
}

/// An error and its causes, as shown and as debugged.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// A body in one piece, whose length is known or not.
#[derive(Debug, Default)]
pub(crate) struct TestBody {
    bytes: Option<Bytes>,
    is_stream: bool,
}

impl TestBody {
    fn of(call: &Call) -> Self {
        let bytes = (!call.body.is_empty()).then(|| call.body.into());
        Self { bytes, is_stream: call.is_stream }
    }

    fn copy(&self) -> Option<Self> {
        (!self.is_stream).then(|| Self { bytes: self.bytes.clone(), is_stream: false })
    }
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.is_stream {
            true => SizeHint::default(),
            false => SizeHint::with_exact(self.bytes.as_ref().map_or(0, |it| it.len() as u64)),
        }
    }
}

//! Implements the six traits for `Arc<T>` and `Box<T>` of an implementation, `dyn` included.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::response::Parts;

use crate::clock::{BoxFuture, Clock};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::grant::Grant;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::identity::Identity;
use crate::observer::{Event, Observer};
use crate::policy::{RefreshPolicy, RetryPolicy};
use crate::response::TokenResponse;
use crate::source::TokenSource;
use crate::status::SourceStatus;
use crate::store::{Ask, Claim, Lease, Offered, Settled, TokenStore};
use crate::token::AccessToken;

macro_rules! pass_on {
    ($($pointer:ident),*) => {$(
        impl<T: Observer + ?Sized> Observer for $pointer<T> {
            fn observe(&self, provider: &'static str, event: &Event) {
                (**self).observe(provider, event);
            }
        }

        #[async_trait]
        impl<T: HttpClient + ?Sized> HttpClient for $pointer<T> {
            async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
                (**self).send(request).await
            }
        }

        impl<T: Clock + ?Sized> Clock for $pointer<T> {
            fn monotonic(&self) -> Duration {
                (**self).monotonic()
            }

            fn wall(&self) -> SystemTime {
                (**self).wall()
            }

            fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
                (**self).sleep(duration)
            }
        }

        impl<T: TokenExchange + ?Sized> TokenExchange for $pointer<T> {
            fn provider(&self) -> &'static str {
                (**self).provider()
            }

            fn identity(&self) -> Identity {
                (**self).identity()
            }

            fn request(&self) -> Result<HttpRequest, Error> {
                (**self).request()
            }

            fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
                (**self).read(response)
            }

            fn api_hosts(&self) -> Vec<Endpoint> {
                (**self).api_hosts()
            }

            fn refuses_token(&self, head: &Parts) -> bool {
                (**self).refuses_token(head)
            }

            fn retry_policy(&self) -> RetryPolicy {
                (**self).retry_policy()
            }

            fn refresh_policy(&self) -> RefreshPolicy {
                (**self).refresh_policy()
            }
        }

        #[async_trait]
        impl<T: TokenStore + ?Sized> TokenStore for $pointer<T> {
            async fn claim(&self, ask: &Ask<'_>) -> Claim {
                (**self).claim(ask).await
            }

            async fn renew(&self, ask: &Ask<'_>, lease: &Lease) {
                (**self).renew(ask, lease).await;
            }

            async fn settle(
                &self,
                ask: &Ask<'_>,
                lease: Option<Lease>,
                token: &Offered<'_>,
            ) -> Settled {
                (**self).settle(ask, lease, token).await
            }

            async fn release(&self, ask: &Ask<'_>, lease: Lease, said: Option<&Error>) {
                (**self).release(ask, lease, said).await;
            }
        }

        #[async_trait]
        impl<T: TokenSource + ?Sized> TokenSource for $pointer<T> {
            async fn token(&self) -> Result<AccessToken, Error> {
                (**self).token().await
            }

            fn invalidate(&self, token: &AccessToken) {
                (**self).invalidate(token);
            }

            fn fresh(&self) -> Option<AccessToken> {
                (**self).fresh()
            }

            async fn check(&self) -> Result<(), Error> {
                (**self).check().await
            }

            fn status(&self) -> SourceStatus {
                (**self).status()
            }

            fn api_hosts(&self) -> Vec<Endpoint> {
                (**self).api_hosts()
            }

            fn refuses_token(&self, head: &Parts) -> bool {
                (**self).refuses_token(head)
            }
        }
    )*};
}

pass_on!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CachedTokenSource, Expiry, ManualClock, ScriptedClient, TokenRequest};

    #[test]
    fn a_pointer_to_an_implementation_implements_the_trait() {
        fn client<T: HttpClient>() {}
        fn clock<T: Clock>() {}
        fn exchange<T: TokenExchange>() {}
        fn source<T: TokenSource>() {}
        fn observer<T: Observer>() {}
        observer::<Arc<dyn Observer>>();
        observer::<Box<dyn Observer>>();
        client::<Arc<dyn HttpClient>>();
        client::<Box<dyn HttpClient>>();
        clock::<Arc<dyn Clock>>();
        clock::<Box<dyn Clock>>();
        exchange::<Arc<dyn TokenExchange>>();
        exchange::<Box<dyn TokenExchange>>();
        source::<Arc<dyn TokenSource>>();
        source::<Box<dyn TokenSource>>();
    }

    /// A flow that overrides every default method.
    struct Flow;

    impl TokenExchange for Flow {
        fn provider(&self) -> &'static str {
            "acme"
        }

        fn identity(&self) -> Identity {
            Identity::new("acme", &Endpoint::from_static("https://pay.example.com"), &[])
        }

        fn request(&self) -> Result<HttpRequest, Error> {
            TokenRequest::post(&Endpoint::from_static("https://pay.example.com")).empty()
        }

        fn read(&self, _: &TokenResponse) -> Result<Grant, Error> {
            Grant::bearer("made-up", Expiry::Unknown)
        }

        fn retry_policy(&self) -> RetryPolicy {
            RetryPolicy::never()
        }

        fn refresh_policy(&self) -> RefreshPolicy {
            RefreshPolicy::default().max_age(Duration::from_secs(7))
        }
    }

    #[tokio::test]
    async fn a_pointer_forwards_every_call_including_default_methods() {
        let flow: Arc<dyn TokenExchange> = Arc::new(Flow);
        assert_eq!(flow.provider(), "acme");
        assert_eq!(TokenExchange::retry_policy(&flow), RetryPolicy::never());
        assert_eq!(TokenExchange::refresh_policy(&flow), Flow.refresh_policy());
        assert!(TokenExchange::identity(&flow) == Flow.identity());

        let client = ScriptedClient::new([(200, "{}")]);
        let client: Box<dyn HttpClient> = Box::new(client);
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let tokens = CachedTokenSource::builder(flow).http_client(client).clock(clock);
        let tokens: Box<dyn TokenSource> = Box::new(tokens.build().unwrap());
        let token = TokenSource::token(&tokens).await.unwrap();
        assert!(TokenSource::fresh(&tokens).unwrap().ptr_eq(&token));
        TokenSource::invalidate(&tokens, &token);
        assert!(TokenSource::fresh(&tokens).is_none());
    }
}

//! `Arc` and `Box` of whatever fits one of the four traits fit it too, erased ones included.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::clock::{BoxFuture, Clock};
use crate::error::Error;
use crate::exchange::{Grant, Identity, TokenExchange};
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::policy::RetryPolicy;
use crate::response::Response;
use crate::source::TokenSource;
use crate::token::AccessToken;

macro_rules! pass_on {
    ($($pointer:ident),*) => {$(
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

            fn read(&self, response: &Response) -> Result<Grant, Error> {
                (**self).read(response)
            }

            fn retry(&self) -> RetryPolicy {
                (**self).retry()
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
        }
    )*};
}

pass_on!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_to_anything_that_fits_a_trait_fits_it_too() {
        fn client<T: HttpClient>() {}
        fn clock<T: Clock>() {}
        fn exchange<T: TokenExchange>() {}
        fn source<T: TokenSource>() {}
        client::<Arc<dyn HttpClient>>();
        client::<Box<dyn HttpClient>>();
        clock::<Arc<dyn Clock>>();
        clock::<Box<dyn Clock>>();
        exchange::<Arc<dyn TokenExchange>>();
        exchange::<Box<dyn TokenExchange>>();
        source::<Arc<dyn TokenSource>>();
        source::<Box<dyn TokenSource>>();
    }
}

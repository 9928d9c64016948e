//! The five flows on the sandbox: a provider revokes the token, and the next call does not notice.

use auth_core::CachedTokenSource;
use auth_sandbox::Sandbox;
use auth_tests::flows::{Shape, flow};
use http::HeaderValue;
use http::header::ACCEPT;

use crate::surface::{ALL, Call};

/// The normal end of a token that lives for a year: the API refuses it.
#[tokio::test]
async fn a_revoked_token_costs_one_failed_call_one_exchange_and_one_replay() {
    let sandbox = Sandbox::start().await.unwrap();
    for provider in sandbox.handles() {
        for surface in ALL {
            let about = format!("{:?}, {surface:?}", provider.provider());
            let exchange = flow(provider.provider(), Shape::Usual, provider.env()).unwrap();
            let tokens = CachedTokenSource::new(exchange.exchange).unwrap();
            let caller = surface.caller(tokens);
            let mut call = Call::get(provider.api_url());
            // Digishare sends anybody else to its login page, instead of a 401.
            call.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            let get = async || caller.call(&call).await.unwrap().status;
            assert_eq!(get().await, 200, "{about}");

            provider.reset_counters();
            provider.revoke_tokens();
            assert_eq!(get().await, 200, "{about}");
            let counters = provider.counters();
            assert_eq!(counters.api_rejected, 1, "{about}");
            assert_eq!(counters.token_requests, 1, "{about}");
            assert_eq!(counters.api_accepted, 1, "{about}");

            provider.reset_counters();
            provider.set_refuse_api_calls(true);
            assert_eq!(get().await, 401, "{about}");
            assert_eq!(provider.counters().token_requests, 0, "{about}: within the throttle");
            provider.set_refuse_api_calls(false);
        }
    }
}

//! The five flows through every fault of the matrix, every fixture, and a panic.

use std::sync::Arc;

use auth_core::{
    CachedTokenSource, Error, HttpClient, HttpRequest, HttpResponse, ManualClock, RetryPolicy,
};
use auth_sandbox::{Credentials, Provider};
use auth_tests::Server;
use auth_tests::canary::Account;
use auth_tests::faults::Row;
use auth_tests::faults::place::Place;
use auth_tests::faults::table::rows;
use auth_tests::flows::{ALL, Shape, at, flow, variables};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Said;

/// Every fault, for every flow: a token before it, a token or an error during it, and one more
/// call.
pub(crate) async fn faults() -> Said {
    let (mut said, mut running) = (Said::default(), JoinSet::new());
    let free = Arc::new(Semaphore::new(16));
    for (provider, shape) in ALL {
        let account = Account::new(provider, &format!("{shape:?}, faults"));
        said.canaries.extend(account.canaries);
        for row in rows() {
            let (credentials, free) = (account.credentials.clone(), Arc::clone(&free));
            running.spawn(async move {
                let _turn = free.acquire().await;
                fault(&row, provider, shape, credentials).await
            });
        }
    }
    running.join_all().await.into_iter().for_each(|part| said.add(part));
    said
}

async fn fault(row: &Row, provider: Provider, shape: Shape, credentials: Credentials) -> Said {
    let mut said = Said::default();
    let mut place = Place::set_up(row, provider, shape, Some(credentials)).await;
    said.note(&place.shown);
    let what = format!("{provider}, {}", row.what);
    said.outcome(&what, &place.source.token().await);
    place.source.invalidate(&place.source.token().await.unwrap());
    place.begin(row);
    said.outcome(&what, &place.source.token().await);
    said.outcome(&what, &place.source.token().await);
    said.note(format!("{:?}", place.source));
    said
}

/// Every recorded answer, with the secret in place of its `@SECRET@`.
pub(crate) async fn fixtures() -> Said {
    let mut said = Said::default();
    for (provider, shape) in ALL {
        let account = Account::new(provider, &format!("{shape:?}, fixtures"));
        let variables = variables(provider, &account.credentials);
        for fixture in auth_tests::fixtures(provider.name()) {
            // In JSON, as the file would have it.
            let secret = serde_json::to_string(account.credentials.secret()).unwrap();
            let server = Server::answering(fixture.response(secret.trim_matches('"'))).await;
            let flow = at(provider, shape, &variables, &server.endpoint());
            let source = CachedTokenSource::builder(flow.exchange)
                .clock(ManualClock::at(fixture.sent_at()))
                .retry_policy(RetryPolicy::never())
                .build()
                .unwrap();
            match source.token().await {
                // Made-up tokens contain words that occur elsewhere, so they are not canaries.
                Ok(token) => said.note(format!("{token:?} {token:#?} {:?}", token.authorization())),
                Err(error) => said.error(&error),
            }
            said.note(flow.shown);
        }
        said.canaries.extend(account.canaries);
    }
    assert!(!said.text.contains("CANARY") && !said.text.contains("eyJ"), "a fixture's token");
    said
}

/// A client that panics with the secret in its message.
pub(crate) async fn panics() -> Said {
    let mut said = Said::default();
    for (provider, shape) in ALL {
        let account = Account::new(provider, &format!("{shape:?}, panics"));
        let flow = flow(provider, shape, variables(provider, &account.credentials)).unwrap();
        let client = Panics(account.credentials.secret().to_owned());
        let source = CachedTokenSource::builder(flow.exchange).http_client(client).build().unwrap();
        said.outcome("nobody", &source.token().await);
        said.canaries.extend(account.canaries);
    }
    said
}

struct Panics(String);

impl std::fmt::Debug for Panics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Panics")
    }
}

#[async_trait::async_trait]
impl HttpClient for Panics {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        panic!("cannot send {}", self.0)
    }
}

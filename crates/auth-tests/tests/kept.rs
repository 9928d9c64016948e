//! How long a source keeps a token, by the flow's and the caller's policies.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on panics

use std::time::{Duration, SystemTime};

use auth_core::{
    CachedTokenSource, Clock as _, Endpoint, Error, Expiry, Grant, HttpClient, HttpRequest,
    HttpResponse, Identity, ManualClock, RefreshPolicy, TokenExchange, TokenRequest, TokenResponse,
    async_trait,
};

const ENDPOINT: Endpoint = Endpoint::from_static("https://pay.example.com");
const DAY: Duration = Duration::from_secs(86_400);

/// A flow whose policy keeps tokens for a day.
struct Daily(Expiry);

impl TokenExchange for Daily {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &ENDPOINT, &[])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&ENDPOINT).empty()
    }

    fn read(&self, _: &TokenResponse) -> Result<Grant, Error> {
        Grant::bearer("made-up-token", self.0)
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default().max_age(DAY)
    }
}

/// Answers with these headers.
#[derive(Debug)]
struct Answer(Vec<(&'static str, String)>);

#[async_trait]
impl HttpClient for Answer {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let mut answer = HttpResponse::default();
        for (name, value) in &self.0 {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        Ok(answer)
    }
}

/// How long a token with this expiry is kept, from an answer with these headers.
async fn kept(
    expiry: Expiry,
    headers: Vec<(&'static str, String)>,
    policy: Option<RefreshPolicy>,
) -> Duration {
    let clock = ManualClock::default();
    let builder =
        CachedTokenSource::builder(Daily(expiry)).http_client(Answer(headers)).clock(clock.clone());
    let builder = match policy {
        Some(policy) => builder.refresh_policy(policy),
        None => builder,
    };
    let token = builder.build().unwrap().token().await.unwrap();
    token.expires_at().unwrap().duration_since(clock.wall()).unwrap()
}

fn date(instant: SystemTime) -> (&'static str, String) {
    ("date", httpdate::fmt_http_date(instant))
}

#[tokio::test]
async fn a_flow_states_how_long_its_tokens_are_kept_and_the_caller_may_override_it() {
    let year = Expiry::After(DAY * 365);
    assert_eq!(kept(year, vec![], None).await, DAY);
    assert_eq!(kept(year, vec![], Some(RefreshPolicy::default())).await, DAY * 365);
}

/// The clock of the answer is ten years behind, and the caller's policy allows for 400 days.
#[tokio::test]
async fn a_date_that_is_years_behind_does_not_keep_a_token_for_years() {
    let now = ManualClock::default().wall();
    let behind = vec![date(now - DAY * 3650)];
    let expiry = Expiry::At(now + DAY);
    assert_eq!(kept(expiry, behind, Some(RefreshPolicy::default())).await, DAY);
}

#[tokio::test]
async fn a_token_from_a_cached_answer_is_kept_for_the_time_left_of_it() {
    let now = ManualClock::default().wall();
    let made = now - Duration::from_secs(540);
    let left = Duration::from_secs(60);
    for expiry in [Expiry::After(Duration::from_secs(600)), Expiry::At(now + left)] {
        let headers = vec![date(made), ("age", "540".to_owned())];
        assert_eq!(kept(expiry, headers, None).await, left, "{expiry:?}");
    }
}

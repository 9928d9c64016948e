//! The simulated endpoint, as an [`HttpClient`].

use std::time::Duration;

use auth_core::{Error, HttpClient, HttpRequest, HttpResponse, async_trait};

use super::answers::Answer;
use super::flights::Stage;
use super::flow::EPOCH;
use super::time::Sleep;
use super::truth::Shared;

/// A client that answers according to the provider's [`Mood`](super::answers::Mood).
#[derive(Clone, Debug)]
pub(super) struct Provider(pub(super) Shared);

/// A request in flight. Dropping it before [`land`](Self::land) counts as an abandoned request.
struct Aloft {
    shared: Shared,
    flight: u64,
    is_over: bool,
}

impl Aloft {
    fn land(&mut self, stage: Stage) {
        self.is_over = true;
        self.shared.lock().request_ends(self.flight, stage);
    }
}

impl Drop for Aloft {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.lock().request_dropped(self.flight);
        }
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let said = request.headers().get(EPOCH).and_then(|epoch| epoch.to_str().ok()?.parse().ok());
        let epoch = said.unwrap_or_default();
        let (number, sent, answer, latency, flight) = {
            let mut truth = self.0.lock();
            let number = truth.request_begins(epoch);
            let (answer, latency) = truth.next_answer();
            truth.note(format_args!("request {number} will get {answer:?} after {latency:?}"));
            let flight = truth.entered.last().copied().unwrap_or_default();
            (number, truth.moment(), answer, latency, flight)
        };
        let mut aloft = Aloft { shared: self.0.clone(), flight, is_over: false };
        if latency > Duration::ZERO {
            Sleep::new(&self.0, latency, false).await;
        }
        if answer == Answer::Hang {
            std::future::pending::<()>().await;
        }
        let (outcome, stage) = {
            let mut truth = self.0.lock();
            truth.note(format_args!("request {number} is answered"));
            let tokens = truth.tokens.len();
            let (outcome, stage) = truth.answer(answer, number, epoch, sent);
            if matches!(stage, Stage::Failed { .. })
                && matches!(answer, Answer::Repeat)
                && truth.tokens.len() == tokens
            {
                truth.attempt_repeats(flight);
            }
            (outcome, stage)
        };
        aloft.land(stage);
        if answer == Answer::ClientPanics {
            // Not `panic!`: the hook would print each of them.
            std::panic::resume_unwind(Box::new("the client panics"));
        }
        outcome
    }
}

//! From a request to a response: routing, counting, faults. The provider decides which requests are
//! valid (`behaviour.rs`); `wire.rs` writes faults to the socket.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};

use crate::answer::{Answer, Framing, HTML};
use crate::behaviour::{Behaviour, Route};
use crate::request::Request;
use crate::shared::Shared;
use crate::tokens::Term;
use crate::wire::Act;
use crate::{Fault, RetryAfter, Skew, clock, gzip};

/// One provider's service, shared by all its connections.
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
    pub(crate) behaviour: Arc<dyn Behaviour>,
}

/// How to answer a request.
pub(crate) enum Outcome {
    /// hyper writes it, and the connection stays open.
    Answer(Answer),
    /// The socket is taken back from hyper.
    Take(Act),
}

impl Service {
    pub(crate) async fn serve(&self, request: &Request) -> Outcome {
        if !request.has_host() {
            self.shared.count(|seen| seen.stray_requests += 1);
            return Outcome::Answer(Answer::gateway(StatusCode::BAD_REQUEST));
        }
        match self.behaviour.route(request, &self.shared) {
            Route::Token => self.token_endpoint(request).await,
            Route::Api => Outcome::Answer(self.api(request)),
            Route::Nowhere(answer) => {
                self.shared.count(|seen| seen.stray_requests += 1);
                Outcome::Answer(answer)
            }
        }
    }

    async fn token_endpoint(&self, request: &Request) -> Outcome {
        let fault = {
            let mut state = self.shared.state();
            state.counters.token_requests += 1;
            let fault = state.plan.take();
            state.counters.faults_served += u64::from(fault.is_some());
            fault
        };
        let (delay, fault) = fault.map_or((Duration::ZERO, None), Fault::split);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match fault {
            None => Outcome::Answer(self.normal(request, None)),
            Some(fault) => self.misbehave(fault, request),
        }
    }

    /// The provider's response to this request.
    fn normal(&self, request: &Request, term: Option<Term>) -> Answer {
        let shared = &*self.shared;
        let refuse = |status| Err(self.behaviour.refuse(status, request, shared));
        let answer = if request.method != Method::POST {
            refuse(StatusCode::METHOD_NOT_ALLOWED)
        } else if request.body.is_none() {
            refuse(StatusCode::PAYLOAD_TOO_LARGE)
        } else {
            let term = term.unwrap_or_else(|| shared.term());
            self.behaviour.token(request, shared, &term)
        };
        answer.unwrap_or_else(|refusal| {
            shared.count(|seen| seen.rejected += 1);
            refusal
        })
    }

    fn api(&self, request: &Request) -> Answer {
        let shared = &*self.shared;
        let answer = if request.method == Method::GET {
            self.behaviour.api(request, shared)
        } else {
            Err(self.behaviour.refuse(StatusCode::METHOD_NOT_ALLOWED, request, shared))
        };
        shared.count(|seen| {
            seen.api_calls += 1;
            let outcome =
                if answer.is_ok() { &mut seen.api_accepted } else { &mut seen.api_rejected };
            *outcome += 1;
        });
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn misbehave(&self, fault: Fault, request: &Request) -> Outcome {
        let now = self.shared.now();
        let normal = || self.normal(request, None);
        let with_term = |term| Outcome::Answer(self.normal(request, Some(term)));
        match fault {
            Fault::Status(status) => Outcome::Answer(self.status(status, request)),
            Fault::RetryAfter { status, after } => {
                let value = match after {
                    RetryAfter::In(span) => span.as_secs().to_string(),
                    RetryAfter::At(span) => httpdate::fmt_http_date(Skew::Ahead(span).apply(now)),
                    RetryAfter::Text(text) => text,
                };
                Outcome::Answer(self.status(status, request).header_text(RETRY_AFTER, &value))
            }
            Fault::Response(canned) => Outcome::Take(Act::Send(canned.to_bytes(now))),
            Fault::Redirect { status, location } => Outcome::Answer(
                Answer::empty(final_status(status)).header_text(LOCATION, &location),
            ),
            Fault::CaptivePortal => Outcome::Answer(Answer::new(StatusCode::OK, HTML, PORTAL)),
            Fault::Firewall => Outcome::Answer(Answer::new(StatusCode::FORBIDDEN, HTML, FIREWALL)),
            Fault::Reset => Outcome::Take(Act::Reset),
            Fault::Close => Outcome::Take(Act::Send(Vec::new())),
            Fault::Stall => Outcome::Take(Act::Hold(Vec::new())),
            Fault::StallAfterHeaders => {
                Outcome::Take(Act::Hold(normal().head(Some(now), &Framing::Length)))
            }
            Fault::Drip { pause } => {
                let answer = normal();
                let head = answer.head(Some(now), &Framing::Length);
                Outcome::Take(Act::Drip { head, body: answer.body.into(), pause })
            }
            Fault::Truncate => {
                let answer = normal();
                let mut bytes = answer.head(Some(now), &Framing::Length);
                bytes.extend(answer.body.iter().take(answer.body.len() / 2));
                Outcome::Take(Act::Send(bytes))
            }
            Fault::Garbage(bytes) => Outcome::Take(Act::Send(bytes)),
            Fault::Oversize { bytes } => {
                let answer = Answer::new(StatusCode::OK, crate::answer::JSON, "");
                let head = answer.head(Some(now), &Framing::Chunked);
                Outcome::Take(Act::Flood { head, bytes })
            }
            Fault::Gzip => {
                let mut answer = normal();
                answer.body = gzip::stored(&answer.body).into();
                let coding = HeaderValue::from_static("gzip");
                Outcome::Answer(answer.header(CONTENT_ENCODING, coding))
            }
            Fault::SkewedDate(skew) => {
                Outcome::Take(whole(&normal(), Some(skew.apply(clock::wall()))))
            }
            Fault::NoDate => Outcome::Take(whole(&normal(), None)),
            Fault::Lifetime(lifetime) => with_term(Term::starting(now, lifetime)),
            Fault::Expired(ago) => {
                let lifetime = self.shared.state().lifetime;
                with_term(Term::over(now, lifetime, ago))
            }
            // `Fault::split` has removed these before this call.
            Fault::Latency(_) | Fault::Delayed { .. } => Outcome::Answer(normal()),
        }
    }

    fn status(&self, status: u16, request: &Request) -> Answer {
        self.behaviour.refuse(final_status(status), request, &self.shared)
    }
}

/// A whole response with its own `Date`, which hyper would replace.
fn whole(answer: &Answer, date: Option<std::time::SystemTime>) -> Act {
    let mut bytes = answer.head(date, &Framing::Length);
    bytes.extend_from_slice(&answer.body);
    Act::Send(bytes)
}

/// hyper sends no interim response as a final one.
fn final_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

const PORTAL: &str = "<html><head><title>Connexion requise</title></head>\
    <body>Veuillez vous connecter au Wi-Fi.</body></html>\n";

const FIREWALL: &str = "<!DOCTYPE html><html><head><title>Attention Required!</title></head>\
    <body><h1>Sorry, you have been blocked</h1></body></html>\n";

//! From a request to a response: routing, counting, faults. The provider decides which requests are
//! valid (`behaviour.rs`); `wire.rs` writes faults to the socket.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use tokio::sync::watch;

use crate::answer::{Answer, Framing, HTML};
use crate::behaviour::{Behaviour, Paths, Route};
use crate::journal::{Record, Verdict};
use crate::request::Request;
use crate::shared::Shared;
use crate::tokens::Term;
use crate::wire::Act;
use crate::{Fault, RetryAfter, Skew, clock, gzip, redact};

/// One provider's service, shared by all its connections.
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
    pub(crate) behaviour: Arc<dyn Behaviour>,
}

/// How to answer a request.
pub(crate) enum Outcome {
    /// hyper writes it, and the connection stays open.
    Answer(Answer),
    /// The socket is taken back from hyper. What it does ends with the next reset.
    Take(Act, watch::Receiver<()>),
}

impl Service {
    pub(crate) async fn serve(&self, request: &Request) -> Outcome {
        let mut note = Note::new();
        let outcome = if request.has_host() {
            match self.behaviour.route(request, &self.shared) {
                Route::Token => self.token_endpoint(request, &mut note).await,
                Route::Api => Outcome::Answer(self.api(request, &mut note)),
                Route::Nowhere(answer) => {
                    let Paths { token, api } = self.behaviour.paths();
                    let why = format!("nothing is here: POST {token} or GET {api}");
                    self.stray(answer.because(why))
                }
            }
        } else {
            let why = "an HTTP/1.1 request must have one Host header";
            self.stray(Answer::gateway(StatusCode::BAD_REQUEST).because(why))
        };
        if !note.cut {
            let (status, why) = match &outcome {
                Outcome::Answer(answer) => (Some(answer.status.as_u16()), answer.why.clone()),
                Outcome::Take(..) => (note.status, None),
            };
            self.enter(request, note, status, why);
        }
        outcome
    }

    fn stray(&self, answer: Answer) -> Outcome {
        self.shared.count(None, |seen| seen.stray_requests += 1);
        Outcome::Answer(answer)
    }

    /// Enters a request into the journal.
    fn enter(
        &self,
        request: &Request,
        note: Note,
        status: Option<u16>,
        why: Option<Cow<'static, str>>,
    ) {
        let Paths { token, api } = self.behaviour.paths();
        let fault = note.fault.map(|fault| fault.kind().to_owned());
        self.shared.journal.enter(Record {
            number: 0,
            at: clock::wall(),
            provider: Some(self.shared.provider),
            account: note.account,
            method: redact::method(request),
            path: redact::path(request, &self.shared, &[token, api]),
            headers: redact::headers(request, &self.shared),
            body: redact::body(request, &self.shared),
            status,
            verdict: note.verdict,
            reason: match (fault, why) {
                (Some(fault), Some(why)) => Some(format!("{fault}, and {why}")),
                (Some(fault), None) => Some(fault),
                (None, why) => why.map(Cow::into_owned),
            },
            remarks: request.remarks(),
            took: clock::monotonic().saturating_duration_since(note.begun),
        });
    }

    async fn token_endpoint(&self, request: &Request, note: &mut Note) -> Outcome {
        let claimed = self.behaviour.claimed(request);
        let (fault, mut resets) = {
            let mut state = self.shared.state();
            note.account = claimed.filter(|id| state.accounts.get(id).is_some());
            let state = &mut *state;
            let fault = state.accounts.fault(note.account.as_deref(), &mut state.plan);
            (fault, self.shared.subscribe())
        };
        self.shared.count(note.account.as_deref(), |seen| {
            seen.token_requests += 1;
            seen.faults_served += u64::from(fault.is_some());
        });
        note.fault.clone_from(&fault);
        let (delay, fault) = fault.map_or((Duration::ZERO, None), Fault::split);
        if !delay.is_zero() {
            let mut waiting = Waiting { service: self, request, note: Some(note.clone()) };
            let elapsed = tokio::select! {
                () = tokio::time::sleep(delay) => true,
                _ = resets.changed() => false,
            };
            waiting.note = None;
            drop(waiting);
            if !elapsed {
                note.cut = true;
                return Outcome::Take(Act::Send(Vec::new()), resets);
            }
        }
        match fault {
            None => Outcome::Answer(self.normal(request, None, note)),
            Some(fault) => {
                note.verdict = Verdict::Fault;
                match self.misbehave(fault, request, note) {
                    Step::Answer(answer) => Outcome::Answer(answer),
                    Step::Take(act) => Outcome::Take(act, resets),
                }
            }
        }
    }

    /// The provider's response to this request.
    fn normal(&self, request: &Request, term: Option<Term>, note: &mut Note) -> Answer {
        let shared = &*self.shared;
        let refuse = |status, why| Err(self.behaviour.refuse(status, request, shared).because(why));
        let answer = if request.method != Method::POST {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "the token endpoint takes POST alone")
        } else if request.body.is_none() {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB")
        } else {
            let term = term.unwrap_or_else(|| shared.term());
            self.behaviour.token(request, shared, &term)
        };
        note.judge(answer.is_ok(), Verdict::Granted);
        answer.unwrap_or_else(|refusal| {
            shared.count(note.account.as_deref(), |seen| seen.rejected += 1);
            refusal
        })
    }

    fn api(&self, request: &Request, note: &mut Note) -> Answer {
        let shared = &*self.shared;
        note.account = request
            .bearer()
            .and_then(|token| shared.state().tokens.account(token).map(str::to_owned));
        let answer = if request.method == Method::GET {
            self.behaviour.api(request, shared)
        } else {
            let refusal = self.behaviour.refuse(StatusCode::METHOD_NOT_ALLOWED, request, shared);
            Err(refusal.because("the API route takes GET alone"))
        };
        note.judge(answer.is_ok(), Verdict::Accepted);
        shared.count(note.account.as_deref(), |seen| {
            seen.api_calls += 1;
            let outcome =
                if answer.is_ok() { &mut seen.api_accepted } else { &mut seen.api_rejected };
            *outcome += 1;
        });
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn misbehave(&self, fault: Fault, request: &Request, note: &mut Note) -> Step {
        let now = self.shared.now();
        let mut normal = || {
            let answer = self.normal(request, None, note);
            note.status = Some(answer.status.as_u16());
            answer
        };
        match fault {
            Fault::Status(status) => Step::Answer(self.status(status, request)),
            Fault::RetryAfter { status, after } => {
                let value = match after {
                    RetryAfter::In(span) => span.as_secs().to_string(),
                    RetryAfter::At(span) => httpdate::fmt_http_date(Skew::Ahead(span).apply(now)),
                    RetryAfter::Text(text) => text,
                };
                Step::Answer(self.status(status, request).header_text(RETRY_AFTER, &value))
            }
            Fault::Response(canned) => {
                note.status = Some(canned.status());
                Step::Take(Act::Send(canned.to_bytes(now)))
            }
            Fault::Redirect { status, location } => {
                Step::Answer(Answer::empty(final_status(status)).header_text(LOCATION, &location))
            }
            Fault::CaptivePortal => Step::Answer(Answer::new(StatusCode::OK, HTML, PORTAL)),
            Fault::Firewall => Step::Answer(Answer::new(StatusCode::FORBIDDEN, HTML, FIREWALL)),
            Fault::Reset => Step::Take(Act::Reset),
            Fault::Close => Step::Take(Act::Send(Vec::new())),
            Fault::Stall => Step::Take(Act::Hold(Vec::new())),
            Fault::StallAfterHeaders => {
                Step::Take(Act::Hold(normal().head(Some(now), &Framing::Length)))
            }
            Fault::Drip { pause } => {
                let answer = normal();
                let head = answer.head(Some(now), &Framing::Length);
                Step::Take(Act::Drip { head, body: answer.body.into(), pause })
            }
            Fault::Truncate => {
                let answer = normal();
                let mut bytes = answer.head(Some(now), &Framing::Length);
                bytes.extend(answer.body.iter().take(answer.body.len() / 2));
                Step::Take(Act::Send(bytes))
            }
            Fault::Garbage(bytes) => Step::Take(Act::Send(bytes)),
            Fault::Oversize { bytes } => {
                let answer = Answer::new(StatusCode::OK, crate::answer::JSON, "");
                let head = answer.head(Some(now), &Framing::Chunked);
                note.status = Some(200);
                Step::Take(Act::Flood { head, bytes })
            }
            Fault::Gzip => {
                let mut answer = normal();
                answer.body = gzip::stored(&answer.body).into();
                let coding = HeaderValue::from_static("gzip");
                Step::Answer(answer.header(CONTENT_ENCODING, coding))
            }
            Fault::SkewedDate(skew) => {
                Step::Take(whole(&normal(), Some(skew.apply(clock::wall()))))
            }
            Fault::NoDate => Step::Take(whole(&normal(), None)),
            Fault::Lifetime(lifetime) => {
                let term = Term::starting(now, lifetime);
                Step::Answer(self.normal(request, Some(term), note))
            }
            Fault::Expired(ago) => {
                let term = Term::over(now, self.shared.state().lifetime, ago);
                Step::Answer(self.normal(request, Some(term), note))
            }
            // `Fault::split` has removed these before this call.
            Fault::Latency(_) | Fault::Delayed { .. } => Step::Answer(normal()),
        }
    }

    fn status(&self, status: u16, request: &Request) -> Answer {
        self.behaviour.refuse(final_status(status), request, &self.shared)
    }
}

/// What a fault makes of a request.
enum Step {
    Answer(Answer),
    Take(Act),
}

/// A request that is being held up: if its client hangs up, hyper drops this with the request, and
/// the journal says so.
struct Waiting<'a> {
    service: &'a Service,
    request: &'a Request,
    /// `None` once the wait is over.
    note: Option<Note>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(mut note) = self.note.take() {
            note.verdict = Verdict::Fault;
            let why = Cow::Borrowed("the connection ended before the answer");
            self.service.enter(self.request, note, None, Some(why));
        }
    }
}

/// What the journal will say beside the answer.
#[derive(Clone)]
struct Note {
    begun: Instant,
    account: Option<String>,
    fault: Option<Fault>,
    verdict: Verdict,
    /// The status that a fault wrote itself.
    status: Option<u16>,
    /// Whether a reset ended it, and the journal with it.
    cut: bool,
}

impl Note {
    fn new() -> Self {
        let (begun, verdict) = (clock::monotonic(), Verdict::Stray);
        Self { begun, account: None, fault: None, verdict, status: None, cut: false }
    }

    /// Sets the verdict, unless a fault has spoken.
    fn judge(&mut self, good: bool, verdict: Verdict) {
        if self.verdict != Verdict::Fault {
            self.verdict = if good { verdict } else { Verdict::Refused };
        }
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

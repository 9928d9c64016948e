//! Callers: each makes one call, may have its own timeout, and is checked when it begins and ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use auth_core::{AccessToken, BoxFuture, CachedTokenSource, Error, ErrorKind, ExposeSecret};

use super::flow::Flow;
use super::time::Sleep;
use super::truth::{Promise, Shared, Truth};

/// How a call is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a task of a runtime.
    Task,
    /// As the root of `block_on`.
    Root,
    /// By an executor of its own, without tokio.
    Foreign,
}

/// A call that is not over.
pub(super) struct CallSeen {
    pub(super) kind: Kind,
    /// The number of the runtime that polls it, or its own.
    pub(super) site: u64,
    pub(super) start: Option<Start>,
}

/// A call that was polled.
pub(super) struct Start {
    pub(super) at: Duration,
    /// The credentials at that time.
    epoch: usize,
    /// The token that the source held.
    pub(super) owed: Option<Promise>,
}

/// The waker that the engine gets from a call, in an `Arc` so that leaked clones can be counted.
#[derive(Default)]
pub(super) struct Relay(Mutex<Option<Waker>>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

type Answered = Result<AccessToken, Error>;

/// One call of `token()`.
pub(super) struct Call {
    shared: Shared,
    number: u64,
    inner: Option<BoxFuture<'static, Answered>>,
    patience: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    relay: Arc<Relay>,
}

impl Call {
    pub(super) fn new(
        shared: &Shared,
        source: CachedTokenSource<Flow>,
        kind: Kind,
        site: Option<u64>,
        patience: Option<Duration>,
    ) -> Self {
        let mut truth = shared.lock();
        truth.call_count += 1;
        let number = truth.call_count;
        let site = site.unwrap_or(number);
        truth.note(format_args!("call {number} as {kind:?} of {site}, patience {patience:?}"));
        truth.calls.insert(number, CallSeen { kind, site, start: None });
        drop(truth);
        let inner: BoxFuture<'static, Answered> = Box::pin(async move { source.token().await });
        let (shared, relay) = (shared.clone(), Arc::default());
        Self { shared, number, inner: Some(inner), patience, timer: None, relay }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The call is over: nothing may still hold its waker.
    fn leave(&mut self) {
        if let Some(inner) = self.inner.take() {
            drop(inner);
            self.timer = None;
            let mut truth = self.shared.lock();
            truth.activity += 1;
            if truth.calls.remove(&self.number).is_some() {
                let number = self.number;
                truth.note(format_args!("call {number} leaves"));
                truth.reach("calls given up");
            }
            truth.relays.push((self.number, Arc::downgrade(&self.relay)));
        }
    }
}

impl Future for Call {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(()) };
        let old =
            this.relay.0.lock().unwrap_or_else(PoisonError::into_inner).replace(cx.waker().clone());
        drop(old);
        let is_first = this.shared.lock().call_polled(this.number);
        let waker = Waker::from(Arc::clone(&this.relay));
        let poll = inner.as_mut().poll(&mut Context::from_waker(&waker));
        drop(waker);
        let mut truth = this.shared.lock();
        truth.polling = None;
        match poll {
            Poll::Ready(answered) => {
                truth.call_ends(this.number, &answered, is_first);
                drop(truth);
                this.leave();
                return Poll::Ready(());
            }
            Poll::Pending if is_first => truth.call_waits(this.number),
            Poll::Pending => {}
        }
        drop(truth);
        if is_first && let Some(patience) = this.patience {
            this.timer = Some(Box::pin(Sleep::new(&this.shared, patience, false)));
        }
        if let Some(timer) = &mut this.timer
            && timer.as_mut().poll(cx).is_ready()
        {
            this.leave();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The number in `account-1-token-7`, and the account.
pub(super) fn numbers(token: &AccessToken) -> Option<(u8, u64)> {
    let secret = token.to_secret();
    let text = secret.expose_secret().strip_prefix("account-")?;
    let (account, token) = text.split_once("-token-")?;
    Some((account.parse().ok()?, token.parse().ok()?))
}

impl Truth {
    /// A call is about to be polled. Returns whether for the first time.
    fn call_polled(&mut self, number: u64) -> bool {
        self.polling = Some(number);
        let (at, epoch) = (self.now, self.epoch());
        let owed = self.promise.filter(|promise| self.is_before(promise.until));
        let Some(call) = self.calls.get_mut(&number) else { return false };
        let is_first = call.start.is_none();
        if is_first {
            call.start = Some(Start { at, epoch, owed });
            self.activity += 1;
        }
        is_first
    }

    /// A call is pending after its first poll: an error if the source holds a usable token.
    fn call_waits(&mut self, number: u64) {
        let Some(CallSeen { kind, start: Some(start), .. }) = self.calls.get(&number) else {
            return;
        };
        let Some(owed) = start.owed else { return };
        // Except that a call with a stale token may wait if only it can drive the refresh.
        let parked = self.flights.values().any(|flight| flight.by_call);
        if self.is_before(owed.fresh_until) || (*kind == Kind::Task && !parked) {
            self.fault(format_args!("call {number} waits despite a usable token: {owed:?}"));
        } else {
            self.reach("calls that drive a refresh");
        }
    }

    /// A call is answered.
    fn call_ends(&mut self, number: u64, answered: &Answered, is_first: bool) {
        self.activity += 1;
        let Some(CallSeen { start: Some(start), kind, .. }) = self.calls.remove(&number) else {
            return;
        };
        match answered {
            Ok(token) => {
                self.note(format_args!("call {number} gets {:?}", numbers(token)));
                self.reach(if is_first { "calls served at once" } else { "calls that waited" });
                self.handed_out(token, start.epoch, "call");
            }
            Err(error) => {
                self.note(format_args!("call {number} fails: {error}"));
                self.reach("calls that failed");
                self.call_fails(number, error, &start, kind);
                if is_first && !self.epochs.last().is_some_and(|epoch| epoch.may_fail) {
                    self.fault(format_args!("call {number} fails, but nothing failed in time"));
                }
            }
        }
    }

    /// A token is handed out: it must be valid, and of the account at or after the call.
    pub(super) fn handed_out(&mut self, token: &AccessToken, epoch: usize, what: &str) {
        let Some((account, number)) = numbers(token) else {
            self.fault(format_args!("a {what} gets a token that nobody granted"));
            return;
        };
        let Some(granted) = self.tokens.get(&number).copied() else {
            self.fault(format_args!("a {what} gets token {number}, which nobody granted"));
            return;
        };
        if !self.is_before(granted.until) {
            self.fault(format_args!(
                "a {what} gets token {number}, which has expired: {granted:?}"
            ));
        }
        if !self.epochs.iter().skip(epoch).any(|epoch| epoch.account == account) {
            self.fault(format_args!("a {what} gets token {number} of another account"));
        }
    }

    fn call_fails(&mut self, number: u64, error: &Error, start: &Start, kind: Kind) {
        let held = self.promise.is_some_and(|held| self.is_before(held.until));
        if held {
            self.fault(format_args!("call {number} fails despite a usable token: {error}"));
        }
        let used = error.description().and_then(|text| text.split(' ').nth(1)?.parse().ok());
        if used.is_some_and(|used: usize| used < start.epoch) {
            self.fault(format_args!("call {number} fails for older credentials: {error}"));
        }
        if error.kind() == ErrorKind::Timeout && error.message().contains("is not running") {
            self.reach("calls that timed out while a runtime was not driven");
            let is_replaced = start.epoch != self.epoch();
            if !is_replaced && self.last_stall.is_none_or(|at| at < start.at) {
                self.fault(format_args!(
                    "call {number} ({kind:?}) fails while everything is driven: {error}"
                ));
            }
        }
    }
}

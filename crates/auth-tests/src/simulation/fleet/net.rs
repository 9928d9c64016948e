//! The backend of each process: messages to one place in memory, which are late or lost.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth_core::{Error, ErrorKind, async_trait};
use auth_store::{Backend, Opened, RecordName, Snapshot};

use super::time::Sleep;
use super::truth::{Shared, Truth};
use super::verbs::{Seen, Verb};

/// The store as one process reaches it.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) shared: Shared,
    pub(super) process: usize,
}

/// A message to the store, or its answer on the way back.
pub(super) struct Message {
    process: usize,
    verb: Arc<Mutex<Verb>>,
    name: RecordName,
    stage: Stage,
    back: Back,
}

enum Stage {
    Asks(Wish),
    Answers(Result<Answer, Error>),
}

enum Wish {
    Read,
    Swap { old: Option<Vec<u8>>, new: Option<Vec<u8>>, keep: Duration },
}

enum Answer {
    Read(Snapshot),
    Swapped(bool),
}

/// The way back.
struct Back {
    slot: Arc<Mutex<Slot>>,
    /// Not taken by the answer: it is lost, or an error arrives in its place.
    lost: Option<Loss>,
    delay: Duration,
}

#[derive(Default)]
struct Slot {
    answer: Option<Result<Answer, Error>>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Silent,
    Error,
}

/// What becomes of a message.
enum Fate {
    Never,
    Refused,
    Sent { after: Duration, delay: Duration, lost: Option<Loss> },
}

/// Later than that, an answer counts as lost for the checks.
const LATE: Duration = Duration::from_millis(30);

fn down() -> Error {
    Error::new(ErrorKind::Store, "the simulated store does not answer")
}

impl Net {
    async fn ask(&self, name: &RecordName, wish: Wish) -> Result<Answer, Error> {
        let slot = Arc::new(Mutex::new(Slot::default()));
        let is_refused = {
            let mut truth = self.shared.lock();
            let Some(verb) = truth.verb.clone() else { return Err(down()) };
            let fate = truth.fate(self.process);
            locked(&verb).sends();
            if truth.unreachable(self.process).is_some() {
                locked(&verb).loses("no store");
            }
            match fate {
                Fate::Never => {
                    locked(&verb).loses("no answer");
                    false
                }
                Fate::Refused => {
                    locked(&verb).loses("an error");
                    true
                }
                Fate::Sent { after, delay, lost } => {
                    if lost.is_some() {
                        locked(&verb).loses("a lost answer");
                    } else if after + delay > LATE {
                        locked(&verb).loses("a late answer");
                    }
                    let at = (truth.now + after, truth.next_number());
                    let back = Back { slot: Arc::clone(&slot), lost, delay };
                    let (name, stage) = (name.clone(), Stage::Asks(wish));
                    let message = Message { process: self.process, verb, name, stage, back };
                    truth.messages.insert(at, message);
                    false
                }
            }
        };
        if is_refused {
            Sleep::new(&self.shared, self.process, Duration::from_millis(1)).await;
            return Err(down());
        }
        let answer = poll_fn(|cx| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            match slot.answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    slot.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        if answer.is_ok()
            && let Some(verb) = &self.shared.lock().verb
        {
            locked(verb).answered();
        }
        answer
    }
}

#[async_trait]
impl Backend for Net {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        match self.ask(name, Wish::Read).await? {
            Answer::Read(snapshot) => Ok(snapshot),
            Answer::Swapped(_) => Err(down()),
        }
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        let (old, new) = (old.map(<[u8]>::to_vec), new.map(<[u8]>::to_vec));
        match self.ask(name, Wish::Swap { old, new, keep }).await? {
            Answer::Swapped(is_swapped) => Ok(is_swapped),
            Answer::Read(_) => Err(down()),
        }
    }
}

impl Shared {
    /// A message arrives, here or there.
    pub(super) fn deliver(&self, message: Message) {
        let mut truth = self.lock();
        let Message { process, verb, name, stage, back } = message;
        if truth.unreachable(process).is_some() {
            return locked(&verb).loses("no store");
        }
        match stage {
            Stage::Asks(wish) => {
                let answer = truth.perform(process, &verb, &name, &wish);
                let answer = match back.lost {
                    Some(Loss::Silent) => return,
                    Some(Loss::Error) => Err(down()),
                    None => answer,
                };
                let at = (truth.now + back.delay, truth.next_number());
                let stage = Stage::Answers(answer);
                truth.messages.insert(at, Message { process, verb, name, stage, back });
            }
            Stage::Answers(answer) => {
                truth.wake(process);
                drop(truth);
                let mut slot = back.slot.lock().unwrap_or_else(PoisonError::into_inner);
                slot.answer = Some(answer);
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            }
        }
    }
}

impl Truth {
    fn fate(&mut self, process: usize) -> Fate {
        if let Some(cut) = self.unreachable(process) {
            return if cut.hangs { Fate::Never } else { Fate::Refused };
        }
        let noise = self.noise;
        let rng = &mut self.rng;
        let way = |rng: &mut fastrand::Rng| Duration::from_micros(rng.u64(50..4_000));
        let (mut after, mut delay, mut lost) = (way(rng), way(rng), None);
        let loss = if rng.u8(0..3) == 0 { Loss::Error } else { Loss::Silent };
        match rng.u32(0..1_000) {
            drawn if drawn < noise => {
                return if loss == Loss::Error { Fate::Refused } else { Fate::Never };
            }
            drawn if drawn < noise * 2 => lost = Some(loss),
            drawn if drawn < noise * 2 + noise / 4 => {
                let late = Duration::from_millis(rng.u64(30..400));
                *(if rng.bool() { &mut after } else { &mut delay }) += late;
            }
            _ => {}
        }
        Fate::Sent { after, delay, lost }
    }

    fn perform(
        &mut self,
        process: usize,
        verb: &Arc<Mutex<Verb>>,
        name: &RecordName,
        wish: &Wish,
    ) -> Result<Answer, Error> {
        let store = self.store.clone();
        match wish {
            Wish::Read => {
                let snapshot = at_once(store.read(name))?;
                let record = snapshot.record.as_deref().unwrap_or_default();
                let opened = Opened::read(self.key.as_ref(), name, record);
                locked(verb).seen = Some(Seen { opened, now: snapshot.now });
                Ok(Answer::Read(snapshot))
            }
            Wish::Swap { old, new, keep } => {
                let (old, new) = (old.as_deref(), new.as_deref());
                let is_swapped = at_once(store.swap(name, old, new, *keep))?;
                if is_swapped {
                    let open = |record: Option<&[u8]>| {
                        Opened::read(self.key.as_ref(), name, record.unwrap_or_default())
                    };
                    let (before, after) = (open(old), open(new));
                    self.swapped(process, &locked(verb).clone(), &before, &after);
                }
                Ok(Answer::Swapped(is_swapped))
            }
        }
    }
}

/// The output of a future that never waits.
fn at_once<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => Err(down()),
    }
}

pub(super) fn locked(verb: &Arc<Mutex<Verb>>) -> std::sync::MutexGuard<'_, Verb> {
    verb.lock().unwrap_or_else(PoisonError::into_inner)
}

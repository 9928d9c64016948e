//! Random sequences of calls by several processes, interleaved at every call of the backend, with
//! lost replies, lost records, calls that hang, crashes and time.
//!
//! A fault prints its seed: `run(seed)` repeats it.

use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use auth_core::ManualClock;

use super::*;
use crate::backend::Snapshot;
use crate::memory::MemoryBackend;
use crate::record::Record;

const ACTORS: usize = 3;

/// What is true, as a bystander sees it.
struct Ledger {
    rng: fastrand::Rng,
    clock: ManualClock,
    /// When each token that was offered expires, by its text.
    expires: HashMap<String, Duration>,
    /// The tokens that were dropped since records were lost last.
    dropped: HashSet<Generation>,
    last_drop: Option<Duration>,
    /// What each actor holds and knows while it settles.
    writers: [(Option<Id>, Option<Generation>); ACTORS],
    figures: Figures,
}

/// How often what happened: a test that meets none of it shows nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    tokens: u32,
    leases: u32,
    held: u32,
    refused: u32,
    unavailable: u32,
    kept: u32,
    superseded: u32,
    unpublished: u32,
    drops: u32,
    replaced: u32,
}

impl Ledger {
    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Checks a write that was done.
    fn written(&mut self, actor: usize, old: &Record, new: &Record) {
        let generation =
            |record: &Record| record.token.as_ref().map(|token| Generation::from(token.generation));
        let (before, after) = (generation(old), generation(new));
        if before == after {
            return;
        }
        let (owner, base) = self.writers[actor];
        match (before, after) {
            (Some(before), Some(_)) => {
                self.figures.replaced += 1;
                let is_owner = owner.is_some_and(|owner| old.is_owner(owner));
                let wall = self.clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap();
                let is_live = old.live(crate::record::millis(wall)).is_some();
                assert!(is_owner || base == Some(before) || !is_live, "a lost update");
            }
            (Some(before), None) => {
                self.figures.drops += 1;
                self.dropped.insert(before);
                self.last_drop = Some(self.now());
            }
            _ => {}
        }
        if let Some(after) = after {
            assert!(!self.dropped.contains(&after), "a dropped token came back");
        }
    }

    /// Checks a token that was answered to a call that began at this time.
    fn answered(&self, token: &StoredToken, began: Duration) {
        let expires = self.expires[secret(token)];
        assert!(token.left > Duration::ZERO, "it has expired");
        assert!(began + token.left <= expires, "it is said to live longer than it does");
        assert!(token.left <= token.lifetime);
    }
}

/// Records in memory, as one actor sees them.
#[derive(Clone)]
struct Watched {
    records: MemoryBackend,
    ledger: Arc<Mutex<Ledger>>,
    actor: usize,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Watched {
    /// Lets the others run, and draws what goes wrong with a call.
    async fn fault(&self) -> Fault {
        pause().await;
        let drawn = self.ledger.lock().unwrap().rng.u8(..);
        match drawn {
            0..4 => Fault::Error,
            4..14 => Fault::LostReply,
            14..16 => Fault::Hang,
            16..22 => {
                self.records.lose_all();
                self.ledger.lock().unwrap().dropped.clear();
                Fault::None
            }
            _ => Fault::None,
        }
    }
}

/// Pending once.
async fn pause() {
    let mut is_over = false;
    poll_fn(
        |_| if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

fn down() -> Error {
    Error::new(ErrorKind::Store, "down")
}

fn decoded(name: &RecordName, bytes: Option<&[u8]>) -> Record {
    let payload = bytes.and_then(|bytes| crate::seal::open(None, name, bytes));
    payload.and_then(|payload| Record::read(&payload)).unwrap_or_default()
}

#[async_trait]
impl Backend for Watched {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        match self.fault().await {
            Fault::None => self.records.read(name).await,
            Fault::Hang => std::future::pending().await,
            _ => Err(down()),
        }
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        let fault = self.fault().await;
        match fault {
            Fault::Error => return Err(down()),
            Fault::Hang => std::future::pending().await,
            _ => {}
        }
        let is_done = self.records.swap(name, old, new, keep).await?;
        if is_done {
            let (old, new) = (decoded(name, old), decoded(name, new));
            self.ledger.lock().unwrap().written(self.actor, &old, &new);
        }
        if fault == Fault::LostReply { Err(down()) } else { Ok(is_done) }
    }
}

/// One process: it claims, and does with the answer what a process may do.
async fn act(store: SharedStore<Watched>, account: Arc<Account>) {
    let ledger = Arc::clone(&store.backend().ledger);
    let actor = store.backend().actor;
    let draw = |below: u8| ledger.lock().unwrap().rng.u8(..below);
    let now = || ledger.lock().unwrap().now();
    let figures = |count: fn(&mut Figures)| count(&mut ledger.lock().unwrap().figures);
    let mut have: Option<Generation> = None;
    for _ in 0..3 {
        let ask = match have {
            Some(have) if draw(2) == 0 => account.after_a_401(have),
            Some(have) if draw(4) > 0 => account.instead_of(have),
            _ => account.ask(),
        };
        let began = now();
        let lease = match store.claim(&ask).await {
            Claim::Token(token) => {
                figures(|count| count.tokens += 1);
                let ledger = ledger.lock().unwrap();
                ledger.answered(&token, began);
                if ask.is_refused && ask.have == Some(token.generation) {
                    let last = ledger.last_drop.expect("a refused token is dropped first");
                    let since = ledger.now() - last;
                    assert!(since <= Duration::from_secs(61), "outside the throttle: {since:?}");
                } else {
                    assert_ne!(ask.have, Some(token.generation));
                }
                have = Some(token.generation);
                continue;
            }
            Claim::Lease(lease) => {
                figures(|count| count.leases += 1);
                Some(lease)
            }
            Claim::Held { .. } => {
                figures(|count| count.held += 1);
                continue;
            }
            Claim::Refused { .. } => {
                figures(|count| count.refused += 1);
                continue;
            }
            _ => {
                figures(|count| count.unavailable += 1);
                None
            }
        };
        // The provider is asked, or the process ends.
        for _ in 0..draw(3) {
            pause().await;
        }
        if let Some(lease) = &lease
            && draw(4) == 0
        {
            store.renew(&ask, lease).await;
        }
        match (draw(10), lease) {
            (0, lease) => drop(lease),
            (1, Some(lease)) => {
                let said = Error::new(ErrorKind::Unavailable, "no")
                    .with_status(http::StatusCode::BAD_GATEWAY);
                store.release(&ask, lease, Some(&said)).await;
            }
            (_, lease) => {
                let holder = lease.as_ref().and_then(|lease| lease.holder::<Holder>());
                let lifetime = Duration::from_millis(100 << draw(12));
                let (text, left) = {
                    let mut ledger = ledger.lock().unwrap();
                    let base = match holder {
                        Some(holder) => holder.base.map(Generation::from),
                        None => ask.have,
                    };
                    ledger.writers[actor] = (holder.map(|holder| holder.owner), base);
                    let left = lifetime.mul_f64(ledger.rng.f64());
                    let text = format!("token-{}", ledger.expires.len());
                    let expires = ledger.now() + left;
                    ledger.expires.insert(text.clone(), expires);
                    (text, left)
                };
                let offer = Offered::new("Bearer", &text, &[], left, lifetime);
                let began = now();
                match store.settle(&ask, lease, &offer).await {
                    Settled::Kept(generation) => {
                        figures(|count| count.kept += 1);
                        have = Some(generation);
                    }
                    Settled::Superseded(token) => {
                        figures(|count| count.superseded += 1);
                        ledger.lock().unwrap().answered(&token, began);
                        have = Some(token.generation);
                    }
                    _ => figures(|count| count.unpublished += 1),
                }
            }
        }
    }
}

fn run(seed: u64) -> Figures {
    let clock = ManualClock::default();
    let records = MemoryBackend::with_clock(clock.clone());
    let ledger = Arc::new(Mutex::new(Ledger {
        rng: fastrand::Rng::with_seed(seed),
        clock: clock.clone(),
        expires: HashMap::new(),
        dropped: HashSet::new(),
        last_drop: None,
        writers: [(None, None); ACTORS],
        figures: Figures::default(),
    }));
    let account = Arc::new(Account::new());
    let mut actors: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for actor in 0..ACTORS {
        let place = Watched { records: records.clone(), ledger: Arc::clone(&ledger), actor };
        let store = SharedStore::unsealed(place).clock(clock.clone());
        actors.push(Box::pin(act(store, Arc::clone(&account))));
    }
    let mut steps = 0;
    while !actors.is_empty() {
        steps += 1;
        assert!(steps < 100_000, "it does not end");
        let (at, drawn) = {
            let mut ledger = ledger.lock().unwrap();
            (ledger.rng.usize(..actors.len()), ledger.rng.u8(..))
        };
        match drawn {
            0..48 => clock.advance(Duration::from_millis(u64::from(drawn))),
            48..60 => clock.advance(Duration::from_millis(150 << ((drawn - 48) / 2))),
            _ => {}
        }
        if actors[at].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(actors.swap_remove(at));
        }
    }
    let ledger = ledger.lock().unwrap();
    ledger.figures
}

impl Figures {
    fn all(&self) -> [u32; 10] {
        let Self { tokens, leases, held, refused, unavailable, .. } = *self;
        let Self { kept, superseded, unpublished, drops, replaced, .. } = *self;
        let claims = [tokens, leases, held, refused, unavailable];
        let rest = [kept, superseded, unpublished, drops, replaced];
        std::array::from_fn(|at| *claims.iter().chain(&rest).nth(at).unwrap())
    }
}

/// Runs these seeds and returns how often what happened.
fn run_all(seeds: std::ops::Range<u64>) -> [u32; 10] {
    let mut all = [0; 10];
    for seed in seeds {
        let Ok(figures) = std::panic::catch_unwind(|| run(seed)) else { panic!("seed {seed}") };
        all.iter_mut().zip(figures.all()).for_each(|(all, count)| *all += count);
    }
    all
}

/// 4,000 sequences, which take some two seconds on two cores without optimization.
#[test]
fn whatever_happens_no_update_is_lost_no_dropped_token_comes_back_and_none_is_expired() {
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(|| run_all(2_000..4_000));
        [run_all(0..2_000), other.join().unwrap()]
    });
    let all: [u32; 10] = std::array::from_fn(|at| halves.iter().map(|half| half[at]).sum());
    assert!(all.iter().all(|count| *count > 20), "too rare to show anything: {all:?}");
}

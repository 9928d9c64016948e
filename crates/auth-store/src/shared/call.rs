//! The four calls, each once: read, apply a rule, write if the record changed.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use auth_core::{Ask, Claim, Error, ErrorKind, Identity, Lease, Offered, Settled};
use bytes::Bytes;

use super::SharedStore;
use crate::backend::{Backend, Lock};
use crate::id::Id;
use crate::key::{RecordName, StoreKey};
use crate::record::{LEASE, Look, Record, Said, Token, Wish, Write, Writer};
use crate::seal;

/// The longest record that a token is written in. A token has at most 16 KiB.
const LONGEST: usize = 32 * 1024;

/// What a lease holds.
pub(super) struct Holder {
    place: Place,
    pub(super) owner: Id,
    /// The token that was there when the lease was given.
    pub(super) base: Option<Id>,
    /// Names the request that is sent, where there is a key to make a print with.
    print: Option<Id>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

/// Where an account's record is, and its key. From the claim on it stays the same.
struct Place {
    name: RecordName,
    key: Option<StoreKey>,
}

/// A record as it was read.
struct Read {
    bytes: Option<Bytes>,
    record: Record,
    /// The store's clock, in milliseconds.
    now: u64,
}

impl Holder {
    pub(super) fn has_lock(&self) -> bool {
        self.guard.is_some()
    }
}

impl<B: Backend> SharedStore<B> {
    pub(super) async fn try_claim(&self, ask: &Ask<'_>, owner: Id) -> Result<Claim, Error> {
        let place = self.place(ask.identity).await?;
        let mut wish = Wish {
            owner,
            have: ask.have.map(Id::from),
            is_refused: ask.is_refused,
            print: place.key.as_ref().and_then(|key| key.print(ask.request)),
        };
        let mut guard = None;
        loop {
            let mut read = self.read(&place).await?;
            let (look, is_dropped) = read.record.look(read.now, &wish);
            let base = read.record.live(read.now).map(|(token, _)| token.generation);
            let (mut is_changed, mut is_again, mut is_taken) = (is_dropped, false, false);
            if matches!(look, Look::Free { .. }) && guard.is_none() {
                match self.backend.lock(&place.name).await? {
                    Lock::Unsupported => {
                        read.record.lease(read.now, owner);
                        is_changed = true;
                    }
                    Lock::Held(lock) => (guard, is_again) = (Some(lock), true),
                    Lock::Taken => is_taken = true,
                }
            }
            if is_changed && !self.write(&place, &read).await? {
                continue;
            }
            let poll = self.backend.poll();
            return Ok(match look {
                // Somebody may have settled before the lock was ours.
                _ if is_again => continue,
                _ if is_taken => Claim::held(poll),
                Look::Token { left } => {
                    let token = read.record.token.as_ref();
                    if let Some(token) = token.and_then(|token| token.stored(left)) {
                        Claim::Token(token)
                    } else {
                        // It is of no use here. With a lease it can be replaced.
                        (wish.have, wish.is_refused) = (base, false);
                        continue;
                    }
                }
                Look::Held { left } => Claim::held(poll.min(Duration::from_millis(left))),
                Look::Refused { left } => {
                    let said = read.record.said_to(wish.print);
                    said.map_or(Claim::Unavailable, |said| {
                        let error = said.error(left, ask.identity.provider());
                        Claim::refused(error, Duration::from_millis(left))
                    })
                }
                Look::Free { is_probe } => {
                    let has_lock = guard.is_some();
                    let lease = Lease::new(Holder { place, owner, base, print: wish.print, guard })
                        .probe(is_probe);
                    let span = Duration::from_millis(LEASE / 3);
                    Claim::Lease(if has_lock { lease } else { lease.renewed_every(span) })
                }
            });
        }
    }

    pub(super) async fn try_renew(&self, holder: &Holder) -> Result<(), Error> {
        loop {
            let mut read = self.read(&holder.place).await?;
            let is_changed = read.record.renew(read.now, holder.owner);
            if !is_changed || self.write(&holder.place, &read).await? {
                return Ok(());
            }
        }
    }

    pub(super) async fn try_settle(
        &self,
        ask: &Ask<'_>,
        holder: Option<&Holder>,
        generation: Id,
        (offered, began): (&Offered<'_>, Duration),
    ) -> Result<Settled, Error> {
        let found;
        let (place, base) = match holder {
            Some(holder) => (&holder.place, holder.base),
            None => {
                found = self.place(ask.identity).await?;
                (&found, ask.have.map(Id::from))
            }
        };
        let owner = holder.map(|holder| holder.owner);
        let holds_lock = holder.is_some_and(Holder::has_lock);
        loop {
            let mut read = self.read(place).await?;
            // It runs out from when it was offered on, and not from when the store answered.
            let spent = self.now().saturating_sub(began);
            let token = Token::of(generation, &shortened(offered, spent), read.now);
            let writer = Writer { owner, base, holds_lock };
            match read.record.settle(read.now, writer, token) {
                Write::There => {}
                Write::Done => {
                    if read.record.write().is_none_or(|payload| payload.len() > LONGEST) {
                        if let Some(holder) = holder {
                            self.try_release(holder, None).await?;
                        }
                        return Ok(Settled::Unpublished);
                    }
                    if !self.write(place, &read).await? {
                        continue;
                    }
                }
                Write::Superseded { left } => {
                    let token = read.record.token.and_then(|token| token.stored(left));
                    return Ok(token.map_or(Settled::Unpublished, Settled::Superseded));
                }
                Write::Refused => return Ok(Settled::Unpublished),
            }
            return Ok(Settled::Kept(generation.into()));
        }
    }

    pub(super) async fn try_release(
        &self,
        holder: &Holder,
        said: Option<&Error>,
    ) -> Result<(), Error> {
        loop {
            let mut read = self.read(&holder.place).await?;
            let previous = read.record.said.as_ref();
            let said = said.and_then(|error| Said::of(error, holder.print, previous, read.now));
            let is_changed = read.record.release(holder.owner, holder.has_lock(), said);
            if !is_changed || self.write(&holder.place, &read).await? {
                return Ok(());
            }
        }
    }

    /// After a call that failed, in what is left of its patience: removes the record if its lease
    /// is ours, since a full server refuses to write and still removes. Nobody waits for the lease
    /// then. Says whether the token is there after all: it was written, and the answer got lost.
    pub(super) async fn clear(&self, began: Duration, holder: &Holder, token: Option<Id>) -> bool {
        let clear = async {
            let read = self.read(&holder.place).await.ok()?;
            let there = read.record.token.as_ref().map(|token| token.generation);
            if token.is_some() && there == token {
                return Some(true);
            }
            if read.record.is_owner(holder.owner) {
                let old = read.bytes.as_deref();
                let name = &holder.place.name;
                self.backend.swap(name, old, None, Duration::ZERO).await.ok()?;
            }
            None
        };
        match self.rest(began) {
            Duration::ZERO => false,
            rest => self.within(rest, clear).await.flatten().unwrap_or(false),
        }
    }

    pub(super) async fn try_forget(&self, identity: &Identity) -> Result<bool, Error> {
        let place = self.place(identity).await?;
        match self.read(&place).await?.bytes {
            Some(record) => {
                self.backend.swap(&place.name, Some(&record), None, Duration::ZERO).await
            }
            None => Ok(false),
        }
    }

    /// Every call that a token needs, on this record.
    pub(super) async fn try_check(&self, name: &RecordName) -> Result<(), Error> {
        const RECORD: &[u8] = b"0123456789abcdef";
        self.backend.key().await?;
        drop(self.backend.lock(name).await?);
        self.backend.swap(name, None, Some(RECORD), Duration::from_secs(10)).await?;
        let kept = self.backend.read(name).await?.record;
        self.backend.swap(name, Some(RECORD), None, Duration::ZERO).await?;
        if kept.as_deref() != Some(RECORD) {
            let text = "the token store does not keep what is written to it";
            return Err(Error::new(ErrorKind::Store, text));
        }
        Ok(())
    }

    /// Whether records are sealed.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) async fn seals(&self) -> bool {
        self.key.is_some() || self.backend.key().await.is_ok_and(|key| key.is_some())
    }

    /// The name of an account's record.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) async fn name_of(&self, identity: &Identity) -> Option<RecordName> {
        self.place(identity).await.ok().map(|place| place.name)
    }

    async fn place(&self, identity: &Identity) -> Result<Place, Error> {
        let key = match &self.key {
            Some(key) => Some(key.clone()),
            None => self.backend.key().await?,
        };
        let name = RecordName::of(key.as_ref(), identity).ok_or_else(unmade)?;
        Ok(Place { name, key })
    }

    async fn read(&self, place: &Place) -> Result<Read, Error> {
        let snapshot = self.backend.read(&place.name).await?;
        let payload = snapshot
            .record
            .as_ref()
            .and_then(|record| seal::open(place.key.as_ref(), &place.name, record));
        // Whatever does not open is no record, and is written over.
        let record = payload.and_then(|payload| Record::read(&payload)).unwrap_or_default();
        let now = u64::try_from(snapshot.now.as_millis()).unwrap_or(u64::MAX);
        Ok(Read { bytes: snapshot.record, record, now })
    }

    /// Writes a record in place of the one that was read, and says whether that was still there.
    async fn write(&self, place: &Place, read: &Read) -> Result<bool, Error> {
        let (old, name) = (read.bytes.as_deref(), &place.name);
        let is_written = if read.record.is_empty() {
            old.is_none() || self.backend.swap(name, old, None, Duration::ZERO).await?
        } else {
            let payload = read.record.write().ok_or_else(unmade)?;
            let new = seal::seal(place.key.as_ref(), name, Id::draw()?, payload.as_slice());
            let new = new.ok_or_else(unmade)?;
            self.backend.swap(name, old, Some(&new), read.record.keep(read.now)).await?
        };
        if !is_written {
            // The timer gets its turn, whatever the backend does.
            tokio::task::yield_now().await;
        }
        Ok(is_written)
    }
}

fn shortened<'a>(offered: &Offered<'a>, by: Duration) -> Offered<'a> {
    let left = offered.left().saturating_sub(by);
    let (scheme, secret) = (offered.token_type(), offered.secret());
    Offered::new(scheme, secret, offered.headers(), left, offered.lifetime())
}

fn unmade() -> Error {
    Error::new(ErrorKind::Internal, "a record of the token store could not be made: report the bug")
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder")
            .field("base", &self.base)
            .field("has_lock", &self.has_lock())
            .finish_non_exhaustive()
    }
}

//! What an account's record holds, and all rules of a store: functions from one record to the next.
//!
//! Instants are in milliseconds on the clock of the store, and never leave it. Any of them may be
//! wrong, since a clock may step, so each is believed only within the span that stands beside it.
//! Losing a record at any time is allowed: it costs one request to the provider.

mod said;
mod token;

use std::time::Duration;

use auth_core::secret::WipedBuffer;
use serde::{Deserialize, Serialize};

pub(crate) use self::said::Said;
pub(crate) use self::token::Token;
#[cfg(test)]
pub(crate) use self::token::millis;
use crate::id::Id;

/// How long a lease lasts that is not renewed, in milliseconds.
pub(crate) const LEASE: u64 = 5_000;
/// How long a record is kept after all that it holds is over.
const KEPT: u64 = 10 * 60 * 1_000;
/// The longest that a record is kept, whatever a token says of its end: servers have limits.
const LONGEST_KEPT: u64 = 400 * 24 * 60 * 60 * 1_000;
/// How long after its end a pause still counts as the last one of a row.
const FORGOTTEN: u64 = 5 * 60 * 1_000;
const FIRST_DROP: u64 = 1_000;
const LONGEST_DROP: u64 = 60_000;

/// The record of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Token>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<Held>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) said: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drops: Option<Drops>,
}

/// Who asks the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) owner: Id,
    pub(crate) until: u64,
    pub(crate) span: u64,
}

/// The tokens that were dropped because an API refused them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drops {
    /// How many in a row.
    pub(crate) count: u32,
    /// When the next one may be dropped.
    pub(crate) next: u64,
    /// The last of them: a write of it that comes late does not bring it back.
    pub(crate) last: Id,
}

/// What a claim asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) owner: Id,
    pub(crate) have: Option<Id>,
    pub(crate) is_refused: bool,
    /// The print of the request, where there is a key to make one.
    pub(crate) print: Option<Id>,
}

/// What a claim finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The record's token, which has this long to live.
    Token { left: u64 },
    /// Another owner's lease, which ends in this time unless it is renewed.
    Held { left: u64 },
    /// What the record says that the provider said, for this long.
    Refused { left: u64 },
    /// Nobody asks the provider. `is_probe`: the last one who asked was told something.
    Free { is_probe: bool },
}

/// Who wants to write a token, and what it knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    /// The owner of a lease.
    pub(crate) owner: Option<Id>,
    /// The token in whose place it is written.
    pub(crate) base: Option<Id>,
    pub(crate) holds_lock: bool,
}

/// What becomes of a token that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// It is there already: the write was sent twice.
    There,
    /// The record holds it now.
    Done,
    /// Somebody wrote another one, which has this long to live.
    Superseded { left: u64 },
    /// The token in whose place it was to be written is gone.
    Refused,
}

impl Record {
    /// The first look of a claim, and whether it changed the record: it drops a token that an API
    /// refused.
    pub(crate) fn look(&mut self, now: u64, wish: &Wish) -> (Look, bool) {
        let mut is_dropped = false;
        if let Some((token, left)) = self.live(now) {
            let generation = token.generation;
            if Some(generation) != wish.have || (wish.is_refused && self.throttles(now)) {
                return (Look::Token { left }, false);
            }
            if wish.is_refused {
                self.drop_token(now, generation);
                is_dropped = true;
            }
        }
        let look = if let Some(left) = self.held_from(now, wish.owner) {
            Look::Held { left }
        } else {
            match self.said_to(wish.print) {
                Some(said) => match said.left(now) {
                    Some(left) => Look::Refused { left },
                    None => Look::Free { is_probe: said.counts(now) },
                },
                None => Look::Free { is_probe: false },
            }
        };
        (look, is_dropped)
    }

    /// Gives the lease to an owner.
    pub(crate) fn lease(&mut self, now: u64, owner: Id) {
        self.lease = Some(Held { owner, until: now.saturating_add(LEASE), span: LEASE });
    }

    /// Lengthens the lease, if it is the owner's.
    pub(crate) fn renew(&mut self, now: u64, owner: Id) -> bool {
        let is_owner = self.is_owner(owner);
        if is_owner {
            self.lease(now, owner);
        }
        is_owner
    }

    /// Writes a token, if the writer may.
    pub(crate) fn settle(&mut self, now: u64, writer: Writer, token: Token) -> Write {
        let there = self.token.as_ref().map(|token| token.generation);
        if there == Some(token.generation) {
            return Write::There;
        }
        if self.drops.as_ref().is_some_and(|drops| drops.last == token.generation) {
            return Write::Refused;
        }
        let live = self.live(now).map(|(_, left)| left);
        let is_owner = writer.owner.is_some_and(|owner| self.is_owner(owner));
        // One that has expired still proves that nobody wrote meanwhile.
        let is_untouched = there == writer.base || (live.is_none() && writer.base.is_none());
        if !(writer.holds_lock || is_owner || is_untouched) {
            return live.map_or(Write::Refused, |left| Write::Superseded { left });
        }
        self.token = Some(token);
        self.said = None;
        if is_owner {
            self.lease = None;
        }
        Write::Done
    }

    /// Gives the lease back, with what the provider said if it spoke. Only for its owner or the
    /// holder of the lock. Says whether the record changed.
    pub(crate) fn release(&mut self, owner: Id, holds_lock: bool, said: Option<Said>) -> bool {
        let is_owner = self.is_owner(owner);
        if is_owner {
            self.lease = None;
        }
        let is_told = said.is_some() && (is_owner || holds_lock);
        if is_told {
            self.said = said;
        }
        is_owner || is_told
    }

    /// The token with its time to live, if it has any.
    pub(crate) fn live(&self, now: u64) -> Option<(&Token, u64)> {
        let token = self.token.as_ref()?;
        Some((token, token.left(now)?))
    }

    /// Whether the record says nothing, so that it need not be there.
    pub(crate) fn is_empty(&self) -> bool {
        self.token.is_none() && self.lease.is_none() && self.said.is_none() && self.drops.is_none()
    }

    /// How long the record is of use.
    pub(crate) fn keep(&self, now: u64) -> Duration {
        let ends = [
            self.token.as_ref().map(|token| token.ends),
            self.lease.as_ref().map(|lease| lease.until),
            self.said.as_ref().map(|said| said.until),
            self.drops.as_ref().map(|drops| drops.next),
        ];
        let last = ends.into_iter().flatten().max().unwrap_or(now);
        Duration::from_millis(last.saturating_sub(now).saturating_add(KEPT).min(LONGEST_KEPT))
    }

    /// Reads what [`write`](Self::write) wrote. Fields of later versions are ignored.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// Writes the record into a buffer that is wiped.
    pub(crate) fn write(&self) -> Option<WipedBuffer> {
        let mut payload = WipedBuffer::with_capacity(2_048);
        serde_json::to_writer(&mut payload, self).ok()?;
        Some(payload)
    }

    pub(crate) fn is_owner(&self, owner: Id) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.owner == owner)
    }

    /// What is left of the lease of somebody else.
    fn held_from(&self, now: u64, owner: Id) -> Option<u64> {
        let lease = self.lease.as_ref().filter(|lease| lease.owner != owner)?;
        within(lease.until, now, lease.span)
    }

    /// What the provider said to such a request, or to any.
    pub(crate) fn said_to(&self, print: Option<Id>) -> Option<&Said> {
        self.said.as_ref().filter(|said| said.print.is_none() || said.print == print)
    }

    /// Whether the last token was dropped so recently that this one is not.
    fn throttles(&self, now: u64) -> bool {
        self.drops.as_ref().is_some_and(|drops| within(drops.next, now, LONGEST_DROP).is_some())
    }

    fn drop_token(&mut self, now: u64, generation: Id) {
        self.token = None;
        let row = self.drops.as_ref().filter(|drops| {
            // Neither forgotten nor of a clock that stepped back.
            drops.next.saturating_add(FORGOTTEN) >= now && drops.next <= now
        });
        let count = row.map_or(0, |drops| drops.count).saturating_add(1);
        let pause = FIRST_DROP.saturating_mul(doublings(count.saturating_sub(1)));
        let next = now.saturating_add(pause.min(LONGEST_DROP));
        self.drops = Some(Drops { count, next, last: generation });
    }
}

/// How long until an instant that is at most `span` ahead. One further ahead was set by a clock
/// that has stepped back since.
fn within(until: u64, now: u64, span: u64) -> Option<u64> {
    until.checked_sub(now).filter(|left| *left > 0 && *left <= span)
}

/// Two to the power of `times`, at most 2^32.
fn doublings(times: u32) -> u64 {
    1 << times.min(32)
}

#[cfg(test)]
mod tests;

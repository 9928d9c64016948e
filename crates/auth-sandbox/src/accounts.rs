//! The accounts that a provider accepts: one at least, a thousand at ease.

use std::collections::HashMap;
use std::iter;

use crate::plan::Plan;
use crate::{Counters, Credentials, Fault};

/// One account: its credentials, its own faults and its own counters.
pub(crate) struct Entry {
    pub(crate) credentials: Credentials,
    /// Accepted too, while a secret is being rotated.
    pub(crate) overlap: Option<Credentials>,
    /// The secret before the last rotation, to say so when a client still sends it.
    previous: Option<String>,
    pub(crate) plan: Plan,
    pub(crate) counters: Counters,
}

impl Entry {
    fn new(credentials: Credentials) -> Self {
        let (plan, counters) = (Plan::default(), Counters::default());
        Self { credentials, overlap: None, previous: None, plan, counters }
    }

    /// Every secret that it has or had: none of them is to be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let overlap = self.overlap.as_ref().map(Credentials::secret);
        iter::once(self.credentials.secret()).chain(overlap).chain(self.previous.as_deref())
    }

    /// Replaces the secret. With `overlap`, the old one stays good.
    pub(crate) fn rotate(&mut self, secret: String, overlap: bool) -> Credentials {
        let old = self.credentials.clone();
        self.credentials = Credentials::new(old.id(), secret);
        self.previous = Some(old.secret().to_owned());
        self.overlap = overlap.then_some(old);
        self.credentials.clone()
    }
}

/// A provider's accounts, found by their id. The first is the one that a handle speaks of.
pub(crate) struct Accounts {
    first: Entry,
    more: Vec<Entry>,
    /// Positions in `more`.
    by_id: HashMap<String, usize>,
}

impl Accounts {
    pub(crate) fn new(first: Credentials, more: &[Credentials]) -> Self {
        let mut accounts =
            Self { first: Entry::new(first), more: Vec::new(), by_id: HashMap::new() };
        for credentials in more {
            accounts.set(credentials.clone());
        }
        accounts
    }

    pub(crate) fn first(&self) -> &Entry {
        &self.first
    }

    pub(crate) fn first_mut(&mut self) -> &mut Entry {
        &mut self.first
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        iter::once(&self.first).chain(&self.more)
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        iter::once(&mut self.first).chain(&mut self.more)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Entry> {
        if self.first.credentials.id() == id {
            return Some(&self.first);
        }
        self.by_id.get(id).and_then(|at| self.more.get(*at))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Entry> {
        if self.first.credentials.id() == id {
            return Some(&mut self.first);
        }
        self.by_id.get(id).and_then(|at| self.more.get_mut(*at))
    }

    /// Adds an account, or gives the one of this id another secret.
    pub(crate) fn set(&mut self, credentials: Credentials) {
        if let Some(known) = self.get_mut(credentials.id()) {
            known.credentials = credentials;
            known.overlap = None;
            return;
        }
        self.by_id.insert(credentials.id().to_owned(), self.more.len());
        self.more.push(Entry::new(credentials));
    }

    /// Accepts these credentials and no others.
    pub(crate) fn accept(&mut self, credentials: Credentials) {
        self.first.credentials = credentials;
        self.first.overlap = None;
        self.more.clear();
        self.by_id.clear();
    }

    /// The credentials to compare a request with that carries this pair: those of the id, or else
    /// those of the first account.
    pub(crate) fn expected(&self, id: &str, secret: &str) -> &Credentials {
        let overlap = |entry: &'_ Entry| {
            let overlap = entry.overlap.as_ref();
            overlap.is_some_and(|it| it.id() == id && it.secret() == secret)
        };
        let found = self.get(id).unwrap_or(&self.first);
        match &found.overlap {
            Some(old) if overlap(found) => old,
            _ => match &self.first.overlap {
                Some(old) if overlap(&self.first) => old,
                _ => &found.credentials,
            },
        }
    }

    /// Why this pair is refused.
    pub(crate) fn diagnosis(&self, id: &str, secret: &str) -> String {
        let Some(entry) = self.get(id) else {
            return match self.get(secret) {
                Some(_) => "id and secret are swapped".to_owned(),
                None => "no account has this id".to_owned(),
            };
        };
        let trimmed = secret.trim().trim_matches(['"', '\'']);
        let why = if secret == entry.credentials.secret() {
            "the pair is right, but the document does not send it in this way"
        } else if secret.is_empty() {
            "the secret is empty"
        } else if entry.previous.as_deref() == Some(secret) {
            "this is the secret of before the rotation"
        } else if trimmed != secret && trimmed == entry.credentials.secret() {
            "the secret is right but for quotes or blanks around it"
        } else if self.all().any(|other| other.credentials.secret() == secret) {
            "this is the secret of another account"
        } else {
            "the secret is wrong"
        };
        why.to_owned()
    }

    /// The fault for one request of this account: its own first, then `common`'s.
    pub(crate) fn fault(&mut self, id: Option<&str>, common: &mut Plan) -> Option<Fault> {
        let own = id.and_then(|id| self.get_mut(id)).and_then(|entry| entry.plan.take());
        own.or_else(|| common.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: &str, secret: &str) -> Credentials {
        Credentials::new(id, secret)
    }

    #[test]
    fn an_account_is_found_by_its_id_and_an_unknown_id_is_compared_with_the_first() {
        let mut accounts = Accounts::new(pair("a", "1"), &[pair("b", "2")]);
        assert_eq!(accounts.expected("b", "x"), &pair("b", "2"));
        assert_eq!(accounts.expected("c", "1"), &pair("a", "1"));
        accounts.set(pair("b", "3"));
        assert_eq!(accounts.all().count(), 2);
        accounts.get_mut("b").unwrap().rotate("4".to_owned(), true);
        assert_eq!(accounts.expected("b", "3"), &pair("b", "3"), "the overlap");
        assert_eq!(accounts.expected("b", "4"), &pair("b", "4"));
        accounts.accept(pair("z", "9"));
        assert_eq!(accounts.all().count(), 1);
    }

    #[test]
    fn a_refusal_says_what_is_wrong_with_the_pair() {
        let mut accounts = Accounts::new(pair("a", "1"), &[pair("b", "2")]);
        accounts.first_mut().rotate("3".to_owned(), false);
        for (id, secret, why) in [
            ("c", "1", "no account has this id"),
            ("3", "a", "swapped"),
            ("a", "1", "before the rotation"),
            ("a", "\"3\"", "quotes"),
            ("a", "2", "another account"),
            ("a", "x", "is wrong"),
            ("a", "", "is empty"),
        ] {
            let said = accounts.diagnosis(id, secret);
            assert!(said.contains(why), "{id} {secret}: {said}");
        }
    }
}

//! A store whose place fails.

mod faults;
mod garbage;
mod outage;
mod places;
mod sequences;

use std::time::Duration;

use auth_core::{
    Ask, Claim, Endpoint, Error, ErrorKind, ExposeSecret as _, Generation, HttpRequest, Identity,
    Lease, Offered, Settled, StoredToken, TokenRequest, TokenStore as _,
};

use super::*;
use crate::faulty::{Fault, Faulty};
use crate::key::RecordName;

const LIFETIME: Duration = Duration::from_secs(300);

/// An account, in the text of which there are canaries.
struct Account {
    identity: Identity,
    request: HttpRequest,
}

impl Account {
    fn new() -> Self {
        let host = Endpoint::parse("https://pay.example.com/token").unwrap();
        let secret = "CANARY-secret".into();
        Self {
            identity: Identity::new("acme", &host, &["CANARY-account"]),
            request: TokenRequest::post(&host).basic("CANARY-account", &secret).empty().unwrap(),
        }
    }

    fn ask(&self) -> Ask<'_> {
        Ask::new(&self.identity, &self.request)
    }

    fn instead_of(&self, generation: Generation) -> Ask<'_> {
        self.ask().instead_of(Some(generation), false)
    }

    fn after_a_401(&self, generation: Generation) -> Ask<'_> {
        self.ask().instead_of(Some(generation), true)
    }
}

fn sealed(place: &Faulty) -> SharedStore<Faulty> {
    let key = StoreKey::new([7; 32]);
    SharedStore::sealed(place.clone(), key).clock(place.clock.clone())
}

fn clear(place: &Faulty) -> SharedStore<Faulty> {
    SharedStore::unsealed(place.clone()).clock(place.clock.clone())
}

const TOKEN: &str = "CANARY-token";

fn offered(secret: &str) -> Offered<'_> {
    Offered::new("Bearer", secret, &[], LIFETIME, LIFETIME)
}

fn leased(claim: Claim) -> Lease {
    match claim {
        Claim::Lease(lease) => lease,
        other => panic!("expected a lease: {other:?}"),
    }
}

fn found(claim: Claim) -> StoredToken {
    match claim {
        Claim::Token(token) => token,
        other => panic!("expected a token: {other:?}"),
    }
}

fn kept(settled: Settled) -> Generation {
    match settled {
        Settled::Kept(generation) => generation,
        other => panic!("expected it to be kept: {other:?}"),
    }
}

fn secret(token: &StoredToken) -> &str {
    token.grant.secret().expose_secret()
}

fn rejection() -> Error {
    Error::new(ErrorKind::Credentials, "credentials rejected")
        .with_status(http::StatusCode::UNAUTHORIZED)
}

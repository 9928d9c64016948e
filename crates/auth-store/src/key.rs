//! The key of a store: what records are sealed with, and what their names are made with.

use std::fmt;
use std::sync::Arc;

use auth_core::{Env, Error, HttpRequest, Identity};
use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::{digest, error::Unspecified, hkdf, hmac};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::id::Id;
use crate::random::fill;

/// The key of a store: 32 random bytes that all processes of a fleet share.
///
/// Anyone with the key and read access to the store has the tokens. A new key starts an empty store:
/// roll it out, and the records of the old one expire unread.
///
/// ```
/// use auth_store::StoreKey;
///
/// let key = StoreKey::new([7; 32]);
/// assert_eq!(format!("{key:?}"), "StoreKey([redacted])");
/// ```
#[derive(Clone)]
pub struct StoreKey(Arc<Option<Derived>>);

/// One key for each purpose (RFC 5869), so that none says anything of another.
struct Derived {
    names: hmac::Key,
    seal: LessSafeKey,
    print: hmac::Key,
}

/// The variable of [`StoreKey::from_env`].
const VARIABLE: &str = "AUTH_STORE_KEY";
const MAKE_ONE: &str = "make one with `openssl rand -base64 32`";
/// With or without its `=`: some templates remove it.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

impl StoreKey {
    /// Takes over 32 random bytes. Wipe your own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Arc::new(Derived::of(bytes.as_slice()).ok()))
    }

    /// Reads the variable `AUTH_STORE_KEY`, or the file that `AUTH_STORE_KEY_FILE` names: 32 bytes
    /// in base64, as `openssl rand -base64 32` prints them.
    ///
    /// ```
    /// use auth_core::Env;
    /// use auth_store::StoreKey;
    ///
    /// let env = Env::from_pairs([("AUTH_STORE_KEY", "bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE=")]);
    /// assert!(StoreKey::from_env(&env).is_ok());
    /// let error = StoreKey::from_env(&Env::from_pairs([("NONE", "")])).unwrap_err();
    /// assert!(error.message().ends_with("make one with `openssl rand -base64 32`"));
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if it is not set, or as for [`from_base64`](Self::from_base64).
    pub fn from_env(env: &Env) -> Result<Self, Error> {
        let read = env.read("auth-store", |vars| vars.required_parsed(VARIABLE, Self::from_base64));
        read.map_err(|error| match error.message() {
            missing if missing.starts_with("set ") => {
                env.fault("auth-store", &format!("{missing}: {MAKE_ONE}"))
            }
            _ => error,
        })
    }

    /// Reads 32 bytes in base64.
    ///
    /// ```
    /// use auth_store::StoreKey;
    ///
    /// assert!(StoreKey::from_base64("bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE=").is_ok());
    /// assert!(StoreKey::from_base64("c2hvcnQ=").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if it is anything else, or 32 times the same byte. The text does not
    /// show it.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let mut decoded = Zeroizing::new([0; 48]);
        let length = BASE64.decode_slice(text, decoded.as_mut_slice()).ok();
        let bytes = length.and_then(|length| decoded.get(..length));
        let Some(bytes) = bytes.and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok()) else {
            return Err(Error::config(format!("the key is not 32 bytes in base64: {MAKE_ONE}")));
        };
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(Error::config(format!("the key is 32 times the same byte: {MAKE_ONE}")));
        }
        Ok(Self(Arc::new(Derived::of(bytes).ok())))
    }

    /// Draws a key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](auth_core::ErrorKind::Internal) if the system has no randomness.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(&mut *bytes)?;
        Ok(Self(Arc::new(Derived::of(bytes.as_slice()).ok())))
    }

    /// What records are sealed with. `None` only if the library could not derive it.
    pub(crate) fn seal(&self) -> Option<&LessSafeKey> {
        self.0.as_ref().as_ref().map(|derived| &derived.seal)
    }

    /// Names a request, secret included: two processes with the same print send the same.
    pub(crate) fn print(&self, request: &HttpRequest) -> Option<Id> {
        let key = &self.0.as_ref().as_ref()?.print;
        let mut print = hmac::Context::with_key(key);
        let mut part = |bytes: &[u8]| {
            print.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            print.update(bytes);
        };
        part(request.method().as_str().as_bytes());
        part(request.uri().to_string().as_bytes());
        let mut headers: Vec<_> = request.headers().iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            part(name.as_str().as_bytes());
            part(value.as_bytes());
        }
        part(request.body());
        Id::beginning(print.sign().as_ref())
    }
}

impl Derived {
    fn of(bytes: &[u8]) -> Result<Self, Unspecified> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"auth-store 1").extract(bytes);
        Ok(Self {
            names: root.expand(&[b"names"], hmac::HMAC_SHA256)?.into(),
            seal: LessSafeKey::new(UnboundKey::from(root.expand(&[b"seal"], &AES_256_GCM_SIV)?)),
            print: root.expand(&[b"print"], hmac::HMAC_SHA256)?.into(),
        })
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey([redacted])")
    }
}

/// The name of a record: `pa1:` and 43 characters of `A-Z a-z 0-9 - _`. It says nothing of the
/// account; with another key it is another name.
///
/// Without a key it is a hash of the account alone, so with read access to the store one
/// can test guesses of an account's name.
///
/// ```
/// use auth_store::RecordName;
///
/// /// As a file's name: a colon is no part of one everywhere.
/// fn file_name(name: &RecordName) -> String {
///     format!("{}.rec", name.as_str().replace(':', "."))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordName(Arc<str>);

impl RecordName {
    /// The name of an account's record. The 1 is the format of the records: another format never
    /// meets one that it cannot read.
    pub(crate) fn of(key: Option<&StoreKey>, identity: &Identity) -> Option<Self> {
        let account = identity.canonical();
        let hash = match key {
            Some(key) => {
                let names = &key.0.as_ref().as_ref()?.names;
                URL_SAFE_NO_PAD.encode(hmac::sign(names, account))
            }
            None => URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, account)),
        };
        Some(Self(format!("pa1:{hash}").into()))
    }

    /// A name that no account has.
    pub(crate) fn draw() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        fill(&mut bytes)?;
        Ok(Self(format!("pa1:{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for tests of a backend.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn made_up(number: u64) -> Self {
        Self(format!("pa1:{number:0>43}").into())
    }
}

#[cfg(test)]
mod tests {
    use auth_core::{Endpoint, ErrorKind, SecretString, TokenRequest};
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn host() -> Endpoint {
        Endpoint::parse("https://pay.example.com/token").unwrap()
    }

    #[test]
    fn each_account_has_a_name_of_its_own_and_another_with_each_key() {
        let (one, two) = (StoreKey::new([1; 32]), StoreKey::new([2; 32]));
        let of = |key: Option<&StoreKey>, account: &str| {
            RecordName::of(key, &Identity::new("acme", &host(), &[account])).unwrap()
        };
        let names = [of(None, "a"), of(None, "b"), of(Some(&one), "a"), of(Some(&two), "a")];
        for (at, name) in names.iter().enumerate() {
            let (prefix, rest) = name.as_str().split_at(4);
            assert!(prefix == "pa1:" && rest.len() == 43, "{name:?}");
            assert!(rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert!(!names[..at].contains(name));
        }
        assert_eq!(of(Some(&one), "a"), of(Some(&StoreKey::new([1; 32])), "a"));
    }

    #[test]
    fn a_print_is_of_every_part_of_the_request() {
        let secret = SecretString::from("made-up");
        let header = |name: &'static str| HeaderName::from_static(name);
        let (a, b) = (HeaderValue::from_static("a"), HeaderValue::from_static("b"));
        let post = || TokenRequest::post(&host());
        let key = StoreKey::new([1; 32]);
        let print = |request: TokenRequest| key.print(&request.empty().unwrap()).unwrap();
        let body = |secret: &SecretString| {
            key.print(&post().form(&[("secret", secret.into())]).unwrap()).unwrap()
        };
        let prints = [
            print(post()),
            print(TokenRequest::get(&host())),
            print(post().query(&[("a", "b")])),
            print(post().header(header("x-a"), a.clone())),
            print(post().header(header("x-a"), b.clone())),
            print(post().header(header("x-b"), a.clone())),
            print(post().basic("user", &secret)),
            body(&secret),
            body(&"another".into()),
            StoreKey::new([2; 32]).print(&post().empty().unwrap()).unwrap(),
        ];
        for (at, print) in prints.iter().enumerate() {
            assert!(!prints[..at].contains(print), "{at}");
        }
        assert_eq!(print(post()), prints[0], "the same request has the same print");
        let ab = post().header(header("x-a"), a.clone()).header(header("x-b"), b.clone());
        let ba = post().header(header("x-b"), b).header(header("x-a"), a);
        assert_eq!(print(ab), print(ba), "whatever order its headers were set in");
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_and_anything_else_is_refused_unseen() {
        let with = |value: &str| StoreKey::from_env(&Env::from_pairs([(VARIABLE, value)]));
        for text in [
            "bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE=",
            "bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE",
        ] {
            let read = with(text).unwrap();
            let same = StoreKey::new(*b"made-up key for a test of this 1");
            let identity = Identity::new("acme", &host(), &["a"]);
            let name = |key| RecordName::of(Some(key), &identity);
            assert_eq!(name(&read), name(&same));
        }
        for text in [
            "CANARY",
            "Q0FOQVJZLXNob3J0",
            "Q0FOQVJZLWZhci10b28tbG9uZy1mb3ItYS1rZXktb2YtdGhpcnR5LXR3by1ieXRlcw==",
            "bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE=CANARY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "CANARY CANARY CANARY CANARY CANARY CANARY CANARY CANARY CANARY CANARY",
        ] {
            let error = with(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!shown.contains(text) && !shown.contains("CANARY"), "{shown}");
            assert!(shown.contains("AUTH_STORE_KEY: the key is"), "{shown}");
            assert!(shown.contains("openssl rand -base64 32"), "{shown}");
        }
    }

    #[test]
    fn a_key_that_is_not_set_is_an_error_that_says_how_to_make_one() {
        let error = StoreKey::from_env(&Env::from_pairs([("AUTH_STORE_KEY", "")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "auth-store: set AUTH_STORE_KEY (or AUTH_STORE_KEY_FILE): make one with \
             `openssl rand -base64 32`"
        );
        let both = [("AUTH_STORE_KEY", "CANARY"), ("AUTH_STORE_KEY_FILE", "/nowhere")];
        let error = StoreKey::from_env(&Env::from_pairs(both)).unwrap_err();
        assert!(error.message().ends_with("are both set: unset one"), "{error}");
    }
}

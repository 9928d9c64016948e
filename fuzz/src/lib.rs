//! Fuzz targets for every parser of foreign input: functions of bytes that panic if an invariant is
//! broken.
//!
//! Each function splits its input itself, and accepts any input.

mod bodies;
mod credentials;
mod endpoint;
mod headers;
mod scrubber;
mod settings;
mod times;
mod writing;

pub use self::bodies::{digishare, digitalpaye, manis, papaya, tresorpay};
pub use self::credentials::credentials;
pub use self::endpoint::endpoint;
pub use self::headers::{date_and_age, retry_after};
pub use self::scrubber::scrubber;
pub use self::settings::settings;
pub use self::times::{expires_in, jwt, manis_expiry, papaya_expiry};

use std::sync::LazyLock;

use auth_core::Endpoint;
use digishare_auth::Digishare;
use digitalpaye_auth::Digitalpaye;
use manis_auth::Manis;
use papaya_auth::Papaya;
use tresorpay_auth::TresorPay;

/// A made-up secret that bodies may echo.
pub const SECRET: &str = "made-up-k3J9x2Vq7Lw";

/// A made-up identifier.
const ID: &str = "made-up-0001";

/// 2026-01-01T00:00:00Z in Unix seconds, when recorded answers were received.
const NOW: u64 = 1_767_225_600;

/// A flow with the made-up credentials, made once.
macro_rules! flow {
    ($name:ident, $flow:ty, $credentials:ty $(, $endpoint:literal)?) => {
        static $name: LazyLock<$flow> = LazyLock::new(|| {
            let credentials = <$credentials>::new(ID, SECRET).expect("made up well");
            <$flow>::new(credentials $(, Endpoint::parse($endpoint).expect("made up well"))?)
        });
    };
}

flow!(DIGISHARE, Digishare, digishare_auth::Credentials);
flow!(DIGITALPAYE, Digitalpaye, digitalpaye_auth::Credentials);
flow!(MANIS, Manis, manis_auth::Credentials, "https://manis.example");
flow!(PAPAYA, Papaya, papaya_auth::Credentials, "https://papaya.example");
flow!(TRESORPAY, TresorPay, tresorpay_auth::Credentials);

/// One function, and the files that it should cover.
pub struct Target {
    /// The name of its folder in `corpus/`, and of its binary.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
    /// Paths relative to `crates/`.
    pub files: &'static [&'static str],
}

macro_rules! targets {
    ($($name:ident: $($file:literal),+;)+) => {
        /// All targets.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), run: $name, files: &[$($file),+] }),+];
    };
}

targets! {
    retry_after: "auth-core/src/response.rs";
    date_and_age: "auth-core/src/response.rs";
    endpoint: "auth-core/src/endpoint.rs", "auth-core/src/endpoint/host.rs";
    jwt: "auth-core/src/jwt.rs";
    expires_in: "auth-core/src/oauth2.rs", "auth-core/src/wire/shapes.rs", "auth-core/src/grant.rs";
    manis_expiry: "manis-auth/src/expiry.rs";
    papaya_expiry: "papaya-auth/src/expiry.rs";
    credentials: "auth-core/src/secret/charset.rs", "auth-core/src/request.rs";
    settings: "auth-core/src/env.rs", "auth-core/src/env/endpoint.rs", "auth-core/src/env/file.rs";
    digishare: "digishare-auth/src/wire.rs", "auth-core/src/wire/refusal.rs";
    digitalpaye: "digitalpaye-auth/src/wire.rs";
    manis: "manis-auth/src/wire.rs";
    papaya: "papaya-auth/src/wire.rs";
    tresorpay: "tresorpay-auth/src/wire.rs";
    scrubber:
        "auth-core/src/secret/scrub.rs", "auth-core/src/secret/residue.rs",
        "auth-core/src/secret/unescape.rs", "auth-core/src/secret/decode.rs";
}

/// Reads from the start of an input, and zeros after its end.
struct Draw<'a>(&'a [u8]);

impl<'a> Draw<'a> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    /// At most this many bytes.
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn text(&mut self, count: usize) -> String {
        String::from_utf8_lossy(self.bytes(count)).into_owned()
    }

    fn rest(&mut self) -> String {
        self.text(usize::MAX)
    }
}

fn assert_one_line(text: &str) {
    assert!(!text.contains(['\n', '\r', '\u{1b}']), "a line break or an escape: {text:?}");
}

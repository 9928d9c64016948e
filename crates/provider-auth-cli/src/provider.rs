//! The five providers as the command line knows them: names, variables, flows.

use std::sync::Arc;

use auth_core::{Env, Error, TokenExchange};
use provider_auth::digishare::Digishare;
use provider_auth::digitalpaye::Digitalpaye;
use provider_auth::manis::Manis;
use provider_auth::papaya::Papaya;
use provider_auth::tresorpay::TresorPay;

use crate::text::Text;

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Provider {
    Digitalpaye,
    Digishare,
    Tresorpay,
    Papaya,
    Manis,
}

/// A variable of a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Var {
    pub(crate) name: &'static str,
    /// Whether it is taken out of a child's environment and asked for without echo.
    pub(crate) is_secret: bool,
    pub(crate) ask: Ask,
}

/// Whether `login` asks for a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Required,
    /// An empty answer leaves it out.
    Optional,
    Never,
}

const fn secret(name: &'static str) -> Var {
    Var { name, is_secret: true, ask: Ask::Required }
}

const fn plain(name: &'static str, ask: Ask) -> Var {
    Var { name, is_secret: false, ask }
}

const DIGITALPAYE: &[Var] = &[
    secret("DIGITALPAYE_API_KEY"),
    secret("DIGITALPAYE_API_SECRET"),
    plain("DIGITALPAYE_ENVIRONMENT", Ask::Optional),
    plain("DIGITALPAYE_BASE_URL", Ask::Never),
    plain("DIGITALPAYE_BASE_URL_INTERNAL", Ask::Never),
];
const DIGISHARE: &[Var] = &[
    plain("DIGISHARE_CLIENT_ID", Ask::Required),
    secret("DIGISHARE_CLIENT_SECRET"),
    Var { name: "DIGISHARE_PERSONAL_ACCESS_TOKEN", is_secret: true, ask: Ask::Never },
    plain("DIGISHARE_SCOPE", Ask::Never),
    plain("DIGISHARE_BASE_URL", Ask::Never),
    plain("DIGISHARE_BASE_URL_INTERNAL", Ask::Never),
];
const TRESORPAY: &[Var] = &[
    plain("TRESORPAY_CLIENT_ID", Ask::Required),
    secret("TRESORPAY_CLIENT_SECRET"),
    plain("TRESORPAY_ENVIRONMENT", Ask::Optional),
    plain("TRESORPAY_SCOPE", Ask::Never),
    plain("TRESORPAY_CLIENT_AUTH", Ask::Never),
    plain("TRESORPAY_TOKEN_URL", Ask::Never),
    plain("TRESORPAY_TOKEN_URL_INTERNAL", Ask::Never),
];
const PAPAYA: &[Var] = &[
    secret("PAPAYA_API_KEY"),
    secret("PAPAYA_CLIENT_SECRET"),
    plain("PAPAYA_ENVIRONMENT", Ask::Required),
    plain("PAPAYA_BASE_URL", Ask::Optional),
    plain("PAPAYA_BASE_URL_INTERNAL", Ask::Never),
    plain("PAPAYA_TOKEN_NAME", Ask::Never),
];
const MANIS: &[Var] = &[
    plain("MANIS_MERCHANT_ID", Ask::Required),
    secret("MANIS_SECRET"),
    plain("MANIS_BASE_URL", Ask::Required),
    plain("MANIS_BASE_URL_INTERNAL", Ask::Never),
    plain("MANIS_EXPIRES_AT_UNIT", Ask::Never),
];

impl Provider {
    pub(crate) const ALL: [Self; 5] =
        [Self::Digitalpaye, Self::Digishare, Self::Tresorpay, Self::Papaya, Self::Manis];

    /// The name, as in errors and variables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Digitalpaye => "digitalpaye",
            Self::Digishare => "digishare",
            Self::Tresorpay => "tresorpay",
            Self::Papaya => "papaya",
            Self::Manis => "manis",
        }
    }

    /// The beginning of its variables, such as `MANIS`.
    pub(crate) fn prefix(self) -> String {
        self.name().to_ascii_uppercase()
    }

    /// Every variable that is read for it, each of them also with `_FILE`.
    pub(crate) const fn vars(self) -> &'static [Var] {
        match self {
            Self::Digitalpaye => DIGITALPAYE,
            Self::Digishare => DIGISHARE,
            Self::Tresorpay => TRESORPAY,
            Self::Papaya => PAPAYA,
            Self::Manis => MANIS,
        }
    }

    /// What it is, and where.
    pub(crate) const fn about(self) -> Text {
        match self {
            Self::Digitalpaye => Text::AboutDigitalpaye,
            Self::Digishare => Text::AboutDigishare,
            Self::Tresorpay => Text::AboutTresorpay,
            Self::Papaya => Text::AboutPapaya,
            Self::Manis => Text::AboutManis,
        }
    }

    /// How a token is asked for, in the words of HTTP.
    pub(crate) const fn flow(self) -> &'static str {
        match self {
            Self::Digitalpaye => "POST /v1/auth, Authorization: Basic, X-Environment",
            Self::Digishare => "POST /v1/oauth/token, client_credentials in JSON",
            Self::Tresorpay => {
                "POST /realms/tresorpay/protocol/openid-connect/token, client_credentials in a form"
            }
            Self::Papaya => "POST /token, JSON",
            Self::Manis => "POST /api/v1/auth/token, x-merchant-id and x-secret",
        }
    }

    /// Where it is asked unless a variable says otherwise.
    pub(crate) const fn usual_host(self) -> Option<&'static str> {
        match self {
            Self::Digitalpaye => Some("api.digitalpaye.com"),
            Self::Digishare => Some("api.digishare.ma"),
            Self::Tresorpay => Some("auth.finances.ml"),
            Self::Papaya | Self::Manis => None,
        }
    }

    /// The flow that these variables configure.
    pub(crate) fn read_env(self, env: &Env) -> Result<Arc<dyn TokenExchange>, Error> {
        Ok(match self {
            Self::Digitalpaye => Arc::new(Digitalpaye::read_env(env)?),
            Self::Digishare => Arc::new(Digishare::read_env(env)?),
            Self::Tresorpay => Arc::new(TresorPay::read_env(env)?),
            Self::Papaya => Arc::new(Papaya::read_env(env)?),
            Self::Manis => Arc::new(Manis::read_env(env)?),
        })
    }
}

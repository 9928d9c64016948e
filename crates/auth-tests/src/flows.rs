//! The five flows as one type, made from environment variables as in a program.

use std::fmt;
use std::sync::Arc;

use auth_core::{Endpoint, Env, Error, TokenExchange};
use auth_sandbox::{Credentials, Provider, Sandbox};

/// A flow of any provider.
pub type AnyFlow = Arc<dyn TokenExchange>;

/// The place of the secret in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The flow's default.
    Usual,
    /// An option of two flows: TresorPay in `Authorization: Basic`, Digishare in a form.
    Other,
}

/// Every provider in every shape that it has.
pub const ALL: [(Provider, Shape); 7] = [
    (Provider::Digitalpaye, Shape::Usual),
    (Provider::Digishare, Shape::Usual),
    (Provider::Digishare, Shape::Other),
    (Provider::TresorPay, Shape::Usual),
    (Provider::TresorPay, Shape::Other),
    (Provider::Papaya, Shape::Usual),
    (Provider::Manis, Shape::Usual),
];

/// A flow, and its `Debug`.
pub struct Flow {
    /// The flow.
    pub exchange: AnyFlow,
    /// `{:?}` and `{:#?}` of it, taken before its type was erased.
    pub shown: String,
}

impl Flow {
    fn of(flow: impl TokenExchange + fmt::Debug) -> Self {
        let shown = format!("{flow:?}\n{flow:#?}\n");
        Self { exchange: Arc::new(flow), shown }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A provider's flow from these variables, which [`Handle::env`](auth_sandbox::Handle::env) lists.
///
/// # Errors
/// If a variable is missing or wrong.
///
/// # Panics
/// For a provider that has no flow here.
pub fn flow(
    provider: Provider,
    shape: Shape,
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Flow, Error> {
    let env = Env::from_pairs(variables);
    Ok(match (provider, shape) {
        (Provider::Digitalpaye, _) => Flow::of(digitalpaye_auth::Digitalpaye::read_env(&env)?),
        (Provider::Digishare, Shape::Usual) => Flow::of(digishare_auth::Digishare::read_env(&env)?),
        (Provider::Digishare, Shape::Other) => {
            let flow = digishare_auth::Digishare::read_env(&env)?;
            Flow::of(flow.body_format(digishare_auth::BodyFormat::Form))
        }
        (Provider::TresorPay, Shape::Usual) => Flow::of(tresorpay_auth::TresorPay::read_env(&env)?),
        (Provider::TresorPay, Shape::Other) => {
            let flow = tresorpay_auth::TresorPay::read_env(&env)?;
            Flow::of(flow.client_auth(tresorpay_auth::ClientAuth::Basic))
        }
        (Provider::Papaya, _) => Flow::of(papaya_auth::Papaya::read_env(&env)?),
        (Provider::Manis, _) => Flow::of(manis_auth::Manis::read_env(&env)?),
        (other, _) => panic!("{other} has no flow here"),
    })
}

/// The base URL in the variables of [`variables`]: nothing listens there.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// A provider's variables for these credentials, as the sandbox lists them, at [`NOWHERE`].
///
/// # Panics
/// If no sandbox can be started.
#[must_use]
pub fn variables(provider: Provider, credentials: &Credentials) -> Vec<(&'static str, String)> {
    let sandbox = Sandbox::builder().start_blocking().unwrap();
    let handle = sandbox.handle(provider);
    handle.accept(credentials.clone());
    let at_nowhere = |value: String| value.replace(handle.base_url(), NOWHERE);
    handle.env().into_iter().map(|(name, value)| (name, at_nowhere(value))).collect()
}

/// The flow of such variables at another base URL.
///
/// # Panics
/// If a variable is missing or wrong.
pub fn at(
    provider: Provider,
    shape: Shape,
    variables: &[(&'static str, String)],
    base: &Endpoint,
) -> Flow {
    let base = base.as_str().trim_end_matches('/');
    let here = variables.iter().map(|(name, value)| (*name, value.replace(NOWHERE, base)));
    flow(provider, shape, here).unwrap()
}

//! The five flows as one type, set up as a program would: from variables.

use std::sync::Arc;

use auth_core::{Env, Error, TokenExchange};
use auth_sandbox::Provider;

/// A flow of any provider.
pub type AnyFlow = Arc<dyn TokenExchange>;

/// A provider's flow from these variables, which [`Handle::env`](auth_sandbox::Handle::env) lists.
///
/// # Errors
/// Where a variable is missing or wrong.
///
/// # Panics
/// For a provider that has no flow here.
pub fn flow(
    provider: Provider,
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<AnyFlow, Error> {
    let env = Env::from_pairs(variables);
    Ok(match provider {
        Provider::Digitalpaye => Arc::new(digitalpaye_auth::Digitalpaye::read_env(&env)?),
        Provider::Digishare => Arc::new(digishare_auth::Digishare::read_env(&env)?),
        Provider::TresorPay => Arc::new(tresorpay_auth::TresorPay::read_env(&env)?),
        Provider::Papaya => Arc::new(papaya_auth::Papaya::read_env(&env)?),
        Provider::Manis => Arc::new(manis_auth::Manis::read_env(&env)?),
        other => panic!("{other} has no flow here"),
    })
}

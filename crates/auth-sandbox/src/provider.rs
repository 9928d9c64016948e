//! The five providers by name.

use std::fmt;

/// A provider that the sandbox implements.
///
/// ```
/// use auth_sandbox::Provider;
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// for provider in Provider::ALL {
///     assert_eq!(sandbox.handle(provider).provider(), provider);
/// }
/// assert_eq!(Provider::TresorPay.name(), "tresorpay");
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Digitalpaye, mobile money in Côte d'Ivoire.
    Digitalpaye,
    /// Digishare, messaging in Morocco.
    Digishare,
    /// TresorPay, the treasury of Mali.
    TresorPay,
    /// Papaya Global, payroll payments.
    Papaya,
    /// Manis, merchant payments.
    Manis,
}

impl Provider {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 5] =
        [Self::Digitalpaye, Self::Digishare, Self::TresorPay, Self::Papaya, Self::Manis];

    /// The name in lower case, as in crate names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digitalpaye => "digitalpaye",
            Self::Digishare => "digishare",
            Self::TresorPay => "tresorpay",
            Self::Papaya => "papaya",
            Self::Manis => "manis",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! The rows: what happens to a fleet, and what must hold meanwhile.

pub(crate) mod kills;
pub(crate) mod outage;
pub(crate) mod revoke;
pub(crate) mod secret;
pub(crate) mod usual;

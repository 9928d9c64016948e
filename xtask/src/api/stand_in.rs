//! This program in rustdoc's place, so that a stable toolchain writes rustdoc's JSON.

use std::process::{Command, ExitCode};

/// Set where cargo takes this program for rustdoc; it names the real one.
pub(super) const FOR: &str = "XTASK_STANDS_IN_FOR";

/// If cargo takes this program for rustdoc: runs rustdoc as if it were a nightly one.
///
/// The switch for that reaches rustdoc alone in this way. In cargo's own environment it would turn
/// the build scripts of a dozen crates, and all that stands on them would be compiled anew.
#[allow(clippy::disallowed_methods)] // no setting of the crates'
pub(crate) fn run() -> Option<ExitCode> {
    let rustdoc = std::env::var_os(FOR)?;
    let args = std::env::args_os().skip(1);
    let status = Command::new(rustdoc).args(args).env("RUSTC_BOOTSTRAP", "1").status();
    let well = status.is_ok_and(|status| status.success());
    Some(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! No tool knows which tools this workspace is held to: rustfmt, clippy, rustdoc and cargo-deny with
//! warnings denied, and [the rules](crate::rules) that are ours alone.

use crate::api::unstable;
use crate::rules;
use crate::steps::{Steps, cargo, command, root, run as succeed, tool};
use crate::workspace::{NATIVE_TLS, has_openssl, published};

pub(crate) fn run() -> Result<(), String> {
    let mut steps = Steps::default();
    steps.cargo(&["fmt", "--all", "--check"])?;
    steps.step("the rules of this workspace", rules::check)?;
    steps.step("cargo deny check bans licenses sources", || {
        let words = ["--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
        succeed(command(tool("cargo-deny", "0.20.2")?, &root()).args(words))
    })?;
    let clippy = ["clippy", "--quiet", "--locked", "--all-targets"];
    steps.cargo(&[&clippy[..], &["--workspace", "--", "-D", "warnings"]].concat())?;
    if !has_openssl() {
        println!(
            "OpenSSL's headers are not installed (libssl-dev, pkg-config): {NATIVE_TLS} is left out"
        );
    }
    for package in published(&root())? {
        let every = package.every();
        let every = every.each_ref().map(String::as_str);
        for choice in [&["--no-default-features"][..], &every] {
            let own = ["--package", &package.name];
            steps.cargo(&[&clippy[..], &own, choice, &["--", "-D", "warnings"]].concat())?;
        }
    }
    steps.step("cargo doc --workspace --no-deps, as docs.rs calls it", || {
        let words = ["doc", "--quiet", "--locked", "--workspace", "--no-deps"];
        let mut doc = cargo(&root());
        doc.args(words).env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
        succeed(unstable(&mut doc))
    })?;
    steps.finish();
    Ok(())
}

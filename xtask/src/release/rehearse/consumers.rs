//! No tool takes what was published as somebody would who never saw this checkout: each package adds
//! one crate with `cargo add`, must find no other provider in its tree, and gets a token from the
//! sandbox, which is itself installed from the registry.

use super::{REGISTRY, Stage};
use crate::outside::Consumer;
use crate::server::Sandbox;
use crate::steps::{PROFILE, Steps, cargo, command, output, run as succeed};
use crate::test::PROVIDERS;

/// What an HTTP client of one's own is there to do without.
const CLIENT: [&str; 4] = ["reqwest ", "hyper ", "rustls ", "tracing "];

/// Lets every consumer try.
pub(super) fn run(steps: &mut Steps, stage: &Stage) -> Result<(), String> {
    let sandbox = steps.step("cargo install auth-sandbox", || {
        install(stage, "auth-sandbox")?;
        Sandbox::start(&stage.folder.join("bin/auth-sandbox"))
    })?;
    steps.step("cargo install provider-auth-cli", || {
        install(stage, "provider-auth-cli")?;
        let program = stage.folder.join("bin/provider-auth");
        let mut check = command(&program, &stage.folder);
        check.envs(sandbox.variables.iter().map(|(name, value)| (name, value)));
        succeed(check.args(["--no-cache", "check"]))
    })?;
    let mut try_out = |added: &[&str], main: &str, providers: &[&str]| {
        let name = format!("cargo add {}", added.join(" "));
        let variables = &sandbox.variables;
        steps.step(&name, || consumer(stage, variables, added, main, providers))
    };
    for provider in PROVIDERS {
        let main = program(&format!("{provider}_auth"), &[provider]);
        try_out(&[&format!("{provider}-auth")], &main, &[provider])?;
        let main = program("provider_auth::PROVIDER", &[provider]);
        try_out(&["provider-auth", "--features", provider], &main, &[provider])?;
    }
    let main = program("provider_auth::PROVIDER", &PROVIDERS);
    try_out(&["provider-auth", "--features", "full"], &main, &PROVIDERS)?;
    let main = program("manis_auth", &["manis"]) + include_str!("../../../consumers/own_client.rs");
    let main = main.replace("::new(flow)?", "::builder(flow).http_client(Plain).build()?");
    try_out(&["manis-auth", "--no-default-features"], &main, &["manis"])
}

/// Installs a program below the stage's folder.
fn install(stage: &Stage, package: &str) -> Result<(), String> {
    // What is installed is for the user, so cargo looks at no folder's configuration.
    let mut install = cargo(&stage.folder);
    install.args(PROFILE).arg("--config").arg(stage.folder.join(".cargo/config.toml"));
    install.args(["install", "--quiet", "--debug", "--registry", REGISTRY, package]);
    succeed(stage.variables(install.arg("--root").arg(&stage.folder)))
}

/// The README's lines, for each of these providers.
fn program(library: &str, providers: &[&str]) -> String {
    let blocks = providers.iter().map(|provider| {
        let (first, rest) = provider.split_at(1);
        let flow = (first.to_uppercase() + rest).replace("Tresorpay", "TresorPay");
        format!(
            "    {{\n        use {library}::{{CachedTokenSource, {flow}}};\n        \
             let flow = {flow}::from_env()?;\n        \
             let tokens = CachedTokenSource::new(flow)?;\n        \
             println!(\"{provider}: {{:?}}\", tokens.token().await?);\n    }}\n"
        )
        .replace("PROVIDER", provider)
    });
    format!(
        "#[tokio::main(flavor = \"current_thread\")]\n\
         async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{}    Ok(())\n}}\n",
        blocks.collect::<String>()
    )
}

/// Adds a crate, and runs the program. One with a client of its own must not bring another.
fn consumer(
    stage: &Stage,
    variables: &[(String, String)],
    added: &[&str],
    main: &str,
    providers: &[&str],
) -> Result<(), String> {
    let has_own_client = main.contains("http_client(");
    let folder = stage.folder.join("consumers").join(added.join("_"));
    let consumer = Consumer::write(folder, "", main)?;
    let cargo = |words: &[&str]| {
        let mut command = cargo(&consumer.folder);
        stage.variables(command.args(PROFILE).args(words));
        command
    };
    succeed(&mut cargo(&[&["add", "--quiet", "--registry", REGISTRY], added].concat()))?;
    let features = if has_own_client { "macros,rt,net,io-util" } else { "macros,rt" };
    succeed(&mut cargo(&["add", "--quiet", "tokio", "--features", features]))?;
    if has_own_client {
        succeed(&mut cargo(&["add", "--quiet", "http"]))?;
    }
    let told = output(cargo(&["run", "--quiet"]).envs(variables.iter().cloned()))?;
    if !providers.iter().all(|provider| told.contains(&format!("{provider}: AccessToken"))) {
        return Err(format!("it got no token of {}, and said:\n{told}", providers.join(", ")));
    }
    let crates = consumer.crates(providers)?;
    println!("    {} crates; a token from {}", crates.len(), providers.join(", "));
    let foreign = |name: &&String| CLIENT.iter().any(|client| name.starts_with(client));
    match crates.iter().find(foreign).filter(|_| has_own_client) {
        Some(client) => Err(format!("{client} comes along")),
        None => Ok(()),
    }
}

//! No tool tests what stands outside the workspace: the examples as programs, consumers, the fuzz corpus, the model.

use std::process::Command;

use crate::outside::{Consumer, lock, ours};
use crate::server::Sandbox;
use crate::steps::{PROFILE, Steps, cargo, output, read, root, run, target};

/// The provider crates, in the order of the documents.
pub(crate) const PROVIDERS: [&str; 5] =
    ["digitalpaye", "digishare", "tresorpay", "papaya", "manis"];

pub(crate) fn run_all() -> Result<(), String> {
    let mut steps = Steps::default();
    steps.cargo(&["test", "--workspace", "--locked"])?;
    steps.cargo(&["test", "--package", "provider-auth", "--features", "full", "--locked"])?;
    for name in examples()? {
        steps.step(&format!("example {name}"), || run(&mut example(&name)))?;
    }
    steps.step("half of a provider's variables", half_set_variables_are_named)?;
    for provider in PROVIDERS {
        steps.step(&format!("a consumer of {provider}-auth alone"), || consumer(provider))?;
    }
    steps.step("the guide to each API, by copy and paste", call_the_api)?;
    for name in ["sixth-provider", "postgres-store"] {
        steps.step(&format!("examples/{name}, outside the workspace"), || outsider(name))?;
    }
    steps.step("the fuzzer's corpus", replay)?;
    steps.step("the model of a flight", model)?;
    steps.finish();
    Ok(())
}

/// An example on the sandbox, whatever this machine's environment holds.
fn example(name: &str) -> Command {
    let mut command = cargo(&root());
    command.args(["run", "--quiet", "--locked", "--package", "examples", "--example", name]);
    // A proxy that nobody serves: what goes to loopback goes past it.
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
    for (variable, _) in std::env::vars_os() {
        let text = variable.to_string_lossy().into_owned();
        if PROVIDERS.iter().any(|provider| text.starts_with(&provider.to_uppercase())) {
            command.env_remove(variable);
        }
    }
    command
}

/// The examples' names, from the one manifest that lists them.
fn examples() -> Result<Vec<String>, String> {
    let manifest = read(&root().join("examples/Cargo.toml"))?;
    let tables = manifest.split("[[example]]").skip(1);
    let names = tables.filter_map(|table| table.split_once("name = \"")?.1.split('"').next());
    let names: Vec<_> = names.map(str::to_owned).collect();
    if names.is_empty() { Err("examples/Cargo.toml lists no example".into()) } else { Ok(names) }
}

/// The quickstart names the variable that is missing, and fails.
fn half_set_variables_are_named() -> Result<(), String> {
    let told = example("quickstart").env("MANIS_SECRET", "made-up-secret").output();
    let told = told.map_err(|fault| fault.to_string())?;
    let text = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    let named = text.contains("MANIS_MERCHANT_ID") && !text.contains("made-up-secret");
    if named && !told.status.success() {
        return Ok(());
    }
    Err(format!(
        "the quickstart does not name MANIS_MERCHANT_ID, shows a value or ends well:\n{text}"
    ))
}

/// A crate outside the workspace that depends on one provider crate by path compiles, and has no
/// other provider in its tree.
fn consumer(provider: &str) -> Result<(), String> {
    let krate = format!("{provider}-auth");
    let main = format!(
        "use {provider}_auth::{{Credentials, SharedTokenSource, TokenSource}};\n\
         fn main() {{\n    assert!(Credentials::new(\"\", \"\").is_err());\n    \
         let _ = std::any::type_name::<(SharedTokenSource, &dyn TokenSource)>();\n}}\n"
    );
    let consumer =
        Consumer::write(target().join("consumer"), &ours(&krate, ""), &main)?.locked()?;
    let mut command = cargo(&consumer.folder);
    run(command.args(PROFILE).args(["run", "--quiet"]).env("CARGO_TARGET_DIR", target()))?;
    consumer.crates(&[provider]).map(drop)
}

/// The program of the guide, once for each provider as it says, on the sandbox.
fn call_the_api() -> Result<(), String> {
    let guide = read(&root().join("crates/auth-middleware/docs/call_the_api.md"))?;
    let program = guide.split("```rust,no_run\n").nth(1).and_then(|rest| rest.split("```").next());
    let program = program.ok_or("the guide has no program")?;
    run(cargo(&root()).args(["build", "--quiet", "--locked", "--package", "auth-sandbox"]))?;
    let sandbox = Sandbox::start(&target().join("debug/auth-sandbox"))?;
    for (provider, name, path) in [
        ("digitalpaye", "Digitalpaye", "/v1/transactions"),
        ("digishare", "Digishare", "/v1/campaigns"),
        ("tresorpay", "TresorPay", "/api/public/v1/ping"),
        ("papaya", "Papaya", "/v1/payments"),
        ("manis", "Manis", "/api/v1/payments"),
    ] {
        if !guide.contains(&format!("{path}`")) {
            return Err(format!("the guide does not name {path}"));
        }
        let main = program.replace("digishare", provider).replace("Digishare", name);
        let dependencies = ours(&format!("{provider}-auth"), "")
            + &ours("auth-middleware", ", features = ['reqwest-middleware']")
            + "tokio = { version = '1', features = ['macros', 'rt-multi-thread'] }\n";
        let folder = target().join("consumer");
        let consumer = Consumer::write(folder, &dependencies, &main)?.locked()?;
        let mut command = cargo(&consumer.folder);
        // The API's origin is that of the one variable with a URL.
        let prefix = provider.to_uppercase();
        let mut own = sandbox.variables.iter().filter(|(name, _)| name.starts_with(&prefix));
        let url = own.find_map(|(_, value)| value.starts_with("http").then_some(value));
        let origin =
            url.map_or(String::new(), |url| url.split('/').take(3).collect::<Vec<_>>().join("/"));
        command.args(PROFILE).args(["run", "--quiet", "--", &format!("{origin}{path}")]);
        command.envs(sandbox.variables.iter().cloned()).env("CARGO_TARGET_DIR", target());
        let told = output(&mut command)?;
        if !told.starts_with("200 OK") {
            return Err(format!("{provider}: {told}"));
        }
    }
    Ok(())
}

/// 120,000 schedules of a flight under a model checker, which stands in for the lock. A target folder of
/// its own, since the `cfg` would compile everything else anew.
pub(crate) fn model() -> Result<(), String> {
    let mut tests = cargo(&root());
    tests.args(["test", "--quiet", "--locked", "--package", "auth-core", "--lib"]);
    tests.args(["--no-default-features", "--features", "test-util", "flight::model"]);
    tests.env("RUSTFLAGS", "--cfg auth_model").env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    run(tests.env("CARGO_TARGET_DIR", target().join("model")))
}

/// What a fuzzer has been fed, through everything that reads foreign input.
fn replay() -> Result<(), String> {
    let folder = root().join("fuzz");
    lock(&folder)?;
    run(cargo(&folder).args(["fmt", "--check"]))?;
    let words = ["test", "--quiet"];
    run(cargo(&folder).args(PROFILE).args(words).env("CARGO_TARGET_DIR", target()))
}

/// An example in a package of its own, on the versions that this workspace is locked to.
fn outsider(name: &str) -> Result<(), String> {
    let folder = root().join("examples").join(name);
    lock(&folder)?;
    run(cargo(&folder).args(["fmt", "--check"]))?;
    for words in
        [&["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"][..], &["test", "--quiet"]]
    {
        run(cargo(&folder).args(PROFILE).args(words).env("CARGO_TARGET_DIR", target()))?;
    }
    Ok(())
}

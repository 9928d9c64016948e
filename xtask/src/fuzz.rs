//! cargo-fuzz runs one target; no tool shares the minutes among all, and knows where our corpus lies.

use crate::steps::{Steps, command, output, root, run as run_command, target, tool};

const FOLDER: &str = "fuzz/libfuzzer";

/// Every target, or those that are named, for a share of the minutes each; the first crash ends it.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut words: Vec<String> = args.collect();
    let at = words.iter().position(|word| word == "--minutes").ok_or("say --minutes N")?;
    let minutes = words.drain(at..).nth(1).and_then(|minutes| minutes.parse::<u64>().ok());
    let program = tool("cargo-fuzz", "0.13.2")?;
    let fuzz = |what: &str| {
        let mut command = command(&program, &root());
        command.args(["fuzz", what, "--fuzz-dir", FOLDER]);
        command.env("RUSTC_BOOTSTRAP", "1"); // its flags, on the toolchain that is there
        command
    };
    let all = output(&mut fuzz("list"))?;
    let names = if words.is_empty() { all.lines().map(str::to_owned).collect() } else { words };
    let share = 60 * minutes.ok_or("--minutes takes a whole number")? / names.len().max(1) as u64;
    let mut steps = Steps::default();
    for name in names {
        let found = target().join("fuzz-corpus").join(&name);
        std::fs::create_dir_all(&found).map_err(|fault| fault.to_string())?;
        let mut one = fuzz("run"); // without the address sanitizer: no code of ours is unsafe
        one.args(["--sanitizer", "none", "--target-dir"]).arg(target().join("fuzz"));
        one.arg(&name).arg(found).arg(format!("fuzz/corpus/{name}"));
        one.args(["--", "-timeout=10", "-max_len=512", "-print_final_stats=1"]);
        one.arg(format!("-max_total_time={}", share.max(1)));
        let hint = format!("see {FOLDER}/artifacts/{name}, and how to replay it above");
        steps.step(&name, || run_command(&mut one).map_err(|fault| format!("{fault}: {hint}")))?;
    }
    steps.finish();
    Ok(())
}

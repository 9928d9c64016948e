//! The same story from other languages: five providers, a fault set, seen and cleared.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod running;

use std::process::Command;

use running::Running;

#[allow(clippy::print_stderr, reason = "a test that skips says so")]
fn skipped(tool: &str) {
    eprintln!("skipped: {tool} is not installed");
}

/// Runs a script on a sandbox of its own; says so where its tool is missing.
fn story(tool: &str, script: &str) {
    if Command::new(tool).arg("--version").output().is_err() {
        return skipped(tool);
    }
    let running = Running::start(&["--quiet"]);
    let shell = if tool == "curl" { "sh" } else { tool };
    let mut command = Command::new(shell);
    command.arg(format!("{}/tests/languages/{script}", env!("CARGO_MANIFEST_DIR")));
    command.envs(&running.exports);
    command.env("CONTROL", format!("http://127.0.0.1:{}/__sandbox", running.control));
    // `provider command`, a line each.
    let mut tries = Vec::new();
    let mut provider = "";
    for line in running.printed.lines() {
        if let Some(named) = line
            .strip_prefix("# ")
            .filter(|line| !line.starts_with(' ') && line.contains(" http://"))
        {
            provider = named.split(' ').next().unwrap();
        }
        if let Some(command) = line.strip_prefix("#   try        ") {
            tries.push(format!("{provider} {command}"));
        }
    }
    command.env("TRIES", tries.join("\n"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("five of five"), "{said}\n{failed}");
}

#[test]
fn python_meets_a_fault_and_its_end_at_all_five() {
    story("python3", "steer.py");
}

#[test]
fn node_meets_a_fault_and_its_end_at_all_five() {
    story("node", "steer.mjs");
}

#[test]
fn curl_meets_a_fault_and_its_end_at_all_five() {
    story("curl", "steer.sh");
}

#[test]
fn curl_trusts_the_printed_authority_and_nothing_without_it() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("curl");
    }
    let mut running = Running::start(&["--tls", "--one-port"]);
    // The control API stays plain.
    let url = format!("http://127.0.0.1:{}/__sandbox/health", running.control);
    let health =
        Command::new("curl").args(["-sf", "-o", "/dev/null", "--noproxy", "*", &url]).status();
    assert!(health.unwrap().success(), "{url}");
    let printed = running.printed.clone();
    let tries = printed.lines().filter_map(|line| line.strip_prefix("#   try        "));
    for line in tries {
        let run = |line: &str| {
            let line = format!("{line} --silent --max-time 10 --noproxy '*'");
            let output = Command::new("sh").args(["-c", &line]).output().unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (code, said) = run(line);
        assert!(code == Some(0) && said.contains("ey"), "{line}: {code:?} {said}");
        assert!(run(&line.replace("127.0.0.1", "localhost")).1.contains("ey"), "{line}");
        let (_, rest) = line.split_once(".pem ").unwrap();
        // 60: no known authority.
        assert_eq!(run(&format!("curl {rest}")).0, Some(60), "{line}");
        let log = [running.log_line(), running.log_line(), running.log_line()];
        assert!(log[1].contains(" granted to "), "{log:?}");
        assert!(log[2].contains("- TLS - - refused: the handshake failed"), "{log:?}");
    }
}

#[test]
fn curl_finds_the_advertised_name_in_the_certificate() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("curl");
    }
    let args = ["--tls", "--bind", "0.0.0.0", "--expose", "--advertise", "sandbox", "--quiet"];
    let running = Running::start(&args);
    let line =
        running.printed.lines().find(|line| line.contains("curl ") && line.contains("x-secret: "));
    let line = line.unwrap().trim_start_matches("#   try        ");
    assert!(line.contains(" https://sandbox:"), "{line}");
    let base = &running.exports["MANIS_BASE_URL_INTERNAL"];
    let port = base.rsplit_once(':').unwrap().1;
    let line = format!("{line} -sS --max-time 10 --noproxy '*' --resolve sandbox:{port}:127.0.0.1");
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("ey"), "{line}: {said} {}", String::from_utf8_lossy(&output.stderr));
}

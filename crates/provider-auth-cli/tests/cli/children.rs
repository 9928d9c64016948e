//! `exec` and `sandbox -- CMD`: what a command gets, and that it is as if it ran alone.

use std::process::Stdio;
use std::time::Duration;

use auth_sandbox::Provider;

use crate::world::{World, done};

#[test]
fn a_command_has_the_token_and_no_secret_of_any_provider() {
    let world = World::new();
    let mut command = world.command(&["exec", "manis,digitalpaye", "--", "env"]);
    command.env("PAPAYA_CLIENT_SECRET_FILE", "/nowhere").env("AUTH_STORE_KEY", "made-up-key");
    command.env_remove("PAPAYA_CLIENT_SECRET");
    let done = done(command);
    assert_eq!(done.code, 0, "{done}");
    let token = world.run(&["token", "manis"]).out;
    for line in [
        format!("MANIS_TOKEN={token}"),
        format!("MANIS_AUTHORIZATION=Bearer {token}"),
        "MANIS_EXPIRES_AT=".to_owned(),
        "DIGITALPAYE_TOKEN=".to_owned(),
        "DIGITALPAYE_HEADER_X_ENVIRONMENT=Production".to_owned(),
        "MANIS_MERCHANT_ID=".to_owned(),
    ] {
        assert!(done.out.contains(line.trim()), "{line}: {done}");
    }
    for name in ["SECRET", "API_KEY", "AUTH_STORE", "_FILE"] {
        assert!(!done.out.contains(name), "{name}: {done}");
    }
    for secret in world.secrets() {
        assert!(!done.out.contains(&secret), "{done}");
    }
}

#[test]
fn with_a_descriptor_the_token_is_in_no_variable_and_no_other_is_left_open() {
    let world = World::new();
    let script = "cat <&$MANIS_TOKEN_FD; echo; env | grep -c eyJ";
    let done = world.run(&["exec", "--fd", "manis", "--", "sh", "-c", script]);
    let mut lines = done.out.lines();
    assert_eq!(lines.next(), Some(world.run(&["token", "manis"]).out.trim()), "{done}");
    assert_eq!(lines.next(), Some("0"), "{done}");
    // This test's own parent may have left some open.
    let open = |args: &[&str]| {
        world.run(&[args, &["--", "ls", "/proc/self/fd"]].concat()).out.lines().count()
    };
    let mut alone = std::process::Command::new("ls");
    let alone = crate::world::done({
        alone.arg("/proc/self/fd").stdin(Stdio::null());
        alone
    });
    let alone = alone.out.lines().count();
    assert_eq!(open(&["exec", "manis"]), alone);
    assert_eq!(open(&["exec", "manis", "--fd"]), alone + 1);
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let world = World::new();
    assert_eq!(world.run(&["exec", "manis", "--", "sh", "-c", "exit 42"]).code, 42);
    assert_eq!(world.run(&["exec", "manis", "--", "sh", "-c", "kill -9 $$"]).code, 137);
}

#[test]
fn a_command_that_is_not_there_is_found_out_before_a_token_is_fetched() {
    let world = World::new();
    let file = world.home.join("plain");
    std::fs::write(&file, "").unwrap();
    for (command, code) in [("no-such-command", 127), (file.to_str().unwrap(), 126)] {
        let done = world.run(&["exec", "manis", "--", command]);
        assert_eq!(done.code, code, "{done}");
    }
    assert_eq!(world.run(&["sandbox", "--", "no-such-command"]).code, 127);
    assert_eq!(world.asked(Provider::Manis), 0);
}

#[test]
fn a_signal_reaches_the_command() {
    let world = World::new();
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    for args in [&["exec", "manis", "--"][..], &["sandbox", "--"]] {
        let mut command = world.command(args);
        command.args(["sh", "-c", script]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        assert_eq!(line, "ready\n");
        let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7), "{args:?}");
    }
}

#[test]
fn arguments_that_are_no_text_arrive_as_they_were() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let mut command = world.command(&["exec", "manis", "--", "printf", "%s"]);
    command.arg(std::ffi::OsStr::from_bytes(b"a\xffb"));
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"a\xffb"[..]));
    let mut command = world.command(&["token"]);
    command.arg(std::ffi::OsStr::from_bytes(b"\xff")).env("LANG", "fr");
    assert_eq!(done(command).code, 2);
}

#[test]
fn a_sandbox_gives_its_command_nothing_of_a_real_account() {
    let world = World::new();
    let mut command = world.bare(&["sandbox", "--", "env"]);
    command.env("MANIS_SECRET_FILE", "/nowhere").env("DIGISHARE_PERSONAL_ACCESS_TOKEN", "real");
    command.env("PAPAYA_ENVIRONMENT", "staging");
    let done = done(command);
    for name in ["MANIS_SECRET_FILE", "DIGISHARE_PERSONAL_ACCESS_TOKEN", "PAPAYA_ENVIRONMENT"] {
        assert!(!done.out.contains(name), "{done}");
    }
    assert!(done.out.contains("MANIS_SECRET="), "{done}");
}

#[test]
fn a_sandbox_prints_what_a_shell_reads() {
    let world = World::new();
    let mut command = world.bare(&["sandbox"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("until Ctrl-C") {
        assert_ne!(std::io::BufRead::read_line(&mut out, &mut text).unwrap(), 0, "{text}");
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(child.try_wait().unwrap().is_none(), "it serves on");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(text.matches("\nexport ").count(), 18, "{text}");
}

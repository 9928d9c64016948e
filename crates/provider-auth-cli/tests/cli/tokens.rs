//! `token`, `header`, `check`: one exchange for all, formats, guards, validity.

use std::process::Command;
use std::time::{Duration, Instant};

use auth_sandbox::{Fault, Provider};

use crate::world::{World, binary, done, fed, has};

#[test]
fn a_sandbox_and_a_check_need_nothing_configured_and_under_two_seconds() {
    let world = World::new();
    let began = Instant::now();
    let binary = binary();
    let done = done(world.bare(&["sandbox", "--", binary.to_str().unwrap(), "check"]));
    let took = began.elapsed();
    assert_eq!(done.code, 0, "{done}");
    let rows: Vec<_> = done.out.lines().skip(1).collect();
    assert_eq!(rows.len(), 5, "{done}");
    assert!(rows.iter().all(|row| row.contains(" ok ")), "{done}");
    // Two seconds are for what users install, on a machine that has time for it.
    let limit = if cfg!(debug_assertions) { 20 } else { 2 };
    assert!(took < Duration::from_secs(limit), "{took:?}");
    assert!(!world.cache().exists(), "the sandbox has a cache of its own");
}

#[test]
fn a_hundred_calls_at_once_are_one_exchange() {
    let world = World::new();
    let mut tokens = Vec::new();
    for _ in 0..4 {
        let children: Vec<_> = (0..25)
            .map(|_| {
                let mut command = world.command(&["token", "papaya", "--json"]);
                command.stdout(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            tokens.push(value["token"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.asked(Provider::Papaya), 1);
}

#[test]
fn a_terminal_gets_no_token_unless_it_is_asked_for() {
    let world = World::new();
    if !has("script") {
        return;
    }
    let on_terminal = |words: &str| {
        let mut command = Command::new("script");
        world.point(&mut command);
        for handle in world.sandbox.handles() {
            command.envs(handle.env());
        }
        let line = format!("{} {words}", binary().display());
        command.args(["-qec", &line, "/dev/null"]);
        done(command)
    };
    for words in ["token manis", "header manis", "token manis --format env", "token manis --json"] {
        let done = on_terminal(words);
        assert_eq!(done.code, 2, "{words}: {done}");
        assert!(!done.out.contains("eyJ"), "{words}: {done}");
    }
    assert!(on_terminal("token manis").out.contains("provider-auth curl manis -- URL"));
    assert!(on_terminal("--lang fr token manis").out.contains("n'est pas affiché"));
    assert_eq!(world.asked(Provider::Manis), 0, "a guard refuses before a token is fetched");
    assert!(on_terminal("token manis --show").out.contains("eyJ"));
}

#[test]
fn json_says_all_of_a_token_in_the_same_fields_for_ever() {
    let world = World::new();
    let value = world.run(&["token", "digitalpaye", "--json"]).json();
    let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    names.sort();
    let golden = [
        "environment",
        "expires_at",
        "expires_at_epoch",
        "expires_in",
        "headers",
        "issued_at",
        "provider",
        "source",
        "token",
        "token_type",
        "version",
    ];
    assert_eq!(names, golden);
    assert_eq!(value["version"], 1);
    assert_eq!(value["environment"], "Production");
    assert_eq!(value["headers"]["X-Environment"], "Production");
    assert_eq!(value["source"], "exchange");
    assert!(value["expires_at"].as_str().unwrap().ends_with('Z'));
    let left = value["expires_in"].as_u64().unwrap();
    assert!((590..=600).contains(&left), "{left}");
    let again = world.run(&["token", "digitalpaye", "--json"]).json();
    assert_eq!((&again["source"], &again["token"]), (&"cache".into(), &value["token"]));
}

#[test]
fn each_format_is_what_its_reader_takes() {
    let world = World::new();
    let token = world.run(&["token", "manis"]).out.trim().to_owned();
    let header = world.run(&["header", "manis"]).out;
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));

    let env = world.run(&["token", "manis", "--format", "env"]).out;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{env} printf %s \"$MANIS_AUTHORIZATION\"")]);
    assert_eq!(done(shell).out, format!("Bearer {token}"));

    let value = world.run(&["token", "manis", "--format", "exec-credential"]).json();
    assert_eq!(value["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(value["kind"], "ExecCredential");
    assert_eq!(value["status"]["token"], token.as_str());
    assert!(value["status"]["expirationTimestamp"].as_str().unwrap().ends_with('Z'));
    for (asked, code) in [("v1beta1", 0), ("v1alpha1", 2)] {
        let mut command = world.command(&["token", "manis", "--format", "exec-credential"]);
        let info = format!(r#"{{"apiVersion":"client.authentication.k8s.io/{asked}"}}"#);
        command.env("KUBERNETES_EXEC_INFO", info);
        let done = done(command);
        assert_eq!(done.code, code, "{done}");
        assert_eq!(done.out.contains(asked), code == 0, "{done}");
    }

    let base = world.sandbox.manis().base_url().to_owned();
    let ask = format!(r#"{{"uri":"{base}/api/v1/payments"}}"#);
    let value = fed(world.command(&["credential-helper", "get"]), ask.as_bytes()).json();
    assert_eq!(value["headers"]["Authorization"][0], format!("Bearer {token}"));
    assert!(value["expires"].as_str().unwrap().ends_with('Z'));
    for other in [r#"{"uri":"https://evil.example/"}"#, "{}", "", "garbage"] {
        let done = fed(world.command(&["credential-helper", "get"]), other.as_bytes());
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{other}: {done}");
    }
}

#[test]
fn a_refresh_asks_the_provider_once_and_others_get_the_new_token() {
    let world = World::new();
    let token = |args: &[&str]| world.run(args).out;
    let first = token(&["token", "manis"]);
    let second = token(&["token", "manis", "--refresh"]);
    assert_ne!(first, second);
    assert_eq!(world.asked(Provider::Manis), 2);
    assert_eq!(token(&["token", "manis"]), second);
    assert_eq!(world.asked(Provider::Manis), 2);
}

#[test]
fn a_refresh_asks_past_a_remembered_refusal() {
    let world = World::new();
    let manis = world.sandbox.manis();
    manis.inject(Fault::Status(401));
    assert_eq!(world.run(&["token", "manis"]).code, 4);
    let asked = world.asked(Provider::Manis);
    let told = world.run(&["token", "manis"]);
    assert_eq!(told.code, 4, "{told}");
    told.says("`--refresh` asks it again");
    assert_eq!(world.asked(Provider::Manis), asked, "it is remembered");
    manis.clear_faults();
    assert_eq!(world.run(&["token", "manis"]).code, 4, "and still is");
    assert_eq!(world.run(&["token", "manis", "--refresh"]).code, 0);
    assert_eq!(world.asked(Provider::Manis), asked + 1);
    assert_eq!(world.run(&["token", "manis"]).code, 0, "and is forgotten then");
    assert_eq!(world.asked(Provider::Manis), asked + 1);
}

#[test]
fn a_token_with_too_little_left_is_replaced_by_one_exchange() {
    let world = World::new();
    let manis = world.sandbox.manis();
    manis.set_token_lifetime(Duration::from_secs(100));
    let first = world.run(&["token", "manis"]).out;
    manis.set_token_lifetime(Duration::from_secs(3_600));
    // 100 s in all, and in its younger half: one of 99 s is not worth another exchange.
    assert_eq!(world.run(&["token", "manis", "--min-valid", "60s"]).out, first);
    assert_eq!(world.asked(Provider::Manis), 1);
    std::thread::sleep(Duration::from_secs(2));
    let longer = world.run(&["token", "manis", "--min-valid", "99s"]);
    assert_ne!(longer.out, first, "{longer}");
    assert_eq!(world.asked(Provider::Manis), 2);
    assert_eq!(world.run(&["token", "manis", "--min-valid", "99s"]).out, longer.out);
    assert_eq!(world.asked(Provider::Manis), 2);
}

#[test]
fn a_validity_that_will_not_come_is_one_warning_and_the_token() {
    let world = World::new();
    for _ in 0..3 {
        let done = world.run(&["token", "tresorpay", "--min-valid", "2h"]);
        assert_eq!(done.code, 0, "{done}");
        assert!(done.out.contains("eyJ"), "{done}");
        done.says("valid for 5 min");
        done.says("the 2 h of --min-valid");
        assert_eq!(done.err.lines().count(), 1, "{done}");
    }
    assert_eq!(world.asked(Provider::TresorPay), 1);
}

#[test]
fn without_the_cache_nothing_is_written() {
    let world = World::new();
    for number in 1..=2 {
        assert_eq!(world.run(&["token", "manis", "--no-cache"]).code, 0);
        assert_eq!(world.asked(Provider::Manis), number);
    }
    assert!(!world.cache().exists());
}

#[test]
fn a_cache_that_cannot_be_used_is_a_warning() {
    let world = World::new();
    std::fs::write(world.cache(), "a file").unwrap();
    let done = world.run(&["token", "manis"]);
    assert_eq!(done.code, 0, "{done}");
    done.says("going without the cache");
}

#[test]
fn a_check_exits_with_the_worst_code_and_shows_every_row() {
    let world = World::new();
    world.sandbox.manis().inject(Fault::Status(401));
    world.sandbox.papaya().inject(Fault::CaptivePortal);
    let done = world.run(&["check"]);
    assert_eq!(done.code, 10, "{done}");
    for text in ["Credentials", "Protocol", "digitalpaye"] {
        assert!(done.out.contains(text), "{text}: {done}");
    }
    let value = world.run(&["check", "manis", "digishare", "--json"]).json();
    let rows = value["providers"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&"failed".into(), &"ok".into()));
}

#[test]
fn a_watch_prints_what_changes_and_asks_no_more_than_it_must() {
    use std::io::BufRead as _;
    let world = World::new();
    let args = ["check", "manis", "--watch=1", "--json", "--no-cache"];
    let mut child = world.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(r#""state":"ok""#));
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(world.asked(Provider::Manis), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.next().is_none(), "nothing changed");
}

#[test]
fn with_nothing_configured_a_check_says_what_to_set() {
    let world = World::new();
    let done = done(world.bare(&["check"]));
    assert_eq!(done.code, 3, "{done}");
    assert!(done.out.contains("set MANIS_MERCHANT_ID, MANIS_SECRET, MANIS_BASE_URL"), "{done}");
    done.says("no provider is configured");
}

#[test]
fn a_warm_cache_costs_no_connection() {
    let world = World::new();
    if !has("strace") {
        return;
    }
    assert_eq!(world.run(&["token", "manis"]).code, 0);
    let trace = world.home.join("trace");
    let mut command = Command::new("strace");
    world.point(&mut command);
    command.envs(world.sandbox.manis().env());
    command.args(["-f", "-e", "trace=connect,socket", "-o", trace.to_str().unwrap()]);
    command.arg(binary()).args(["token", "manis"]);
    let done = done(command);
    if done.code != 0 {
        eprintln!("left out: strace may not trace here: {done}");
        return;
    }
    let calls = std::fs::read_to_string(trace).unwrap();
    assert!(!calls.contains("connect(") && !calls.contains("AF_INET"), "{calls}");
}

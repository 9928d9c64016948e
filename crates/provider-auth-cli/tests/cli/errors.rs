//! Each kind of failure: its exit code, its JSON, and its words in both languages.

use std::process::Stdio;
use std::time::Duration;

use auth_sandbox::{CannedResponse, Fault, RetryAfter};

use crate::world::{World, binary, done};

/// A kind, its exit code, and what is said of it in English and French.
type Case = (&'static str, i32, &'static str, &'static str);

const CASES: [Case; 8] = [
    ("Config", 3, "a setting is missing or wrong", "un réglage manque ou est incorrect"),
    ("Credentials", 4, "rejected the credentials", "a refusé les identifiants"),
    ("Request", 5, "refused the request", "refusé la requête"),
    ("RateLimited", 6, "too many requests", "trop de requêtes"),
    ("Unavailable", 7, "the provider is down", "le fournisseur est en panne"),
    ("Connect", 8, "no connection could be made", "aucune connexion n'a pu être établie"),
    ("Timeout", 9, "no answer came in time", "aucune réponse n'est arrivée à temps"),
    ("Protocol", 10, "not as documented", "n'est pas celle qui est documentée"),
];

#[test]
fn each_kind_has_its_exit_code_its_json_and_its_words_in_both_languages() {
    for (kind, code, english, french) in CASES {
        let world = World::new();
        let manis = world.sandbox.manis();
        let after = RetryAfter::In(Duration::from_secs(90));
        match kind {
            "Credentials" => manis.inject(Fault::Status(401)),
            "Request" => manis.inject(Fault::Response(
                CannedResponse::new(422)
                    .header("content-type", "application/json")
                    .body(r#"{"message":"made up"}"#),
            )),
            "RateLimited" => manis.inject(Fault::RetryAfter { status: 429, after }),
            "Unavailable" => manis.inject(Fault::Status(503)),
            "Timeout" => manis.inject(Fault::Stall),
            "Protocol" => manis.inject(Fault::CaptivePortal),
            _ => {}
        }
        let run = |args: &[&str], lang: &str| {
            let args = [&["token", "manis", "--no-cache", "--timeout", "1"], args].concat();
            let mut command = world.command(&args);
            command.env("LANG", lang);
            match kind {
                "Config" => command.env_remove("MANIS_SECRET"),
                "Connect" => command.env("MANIS_BASE_URL", "http://127.0.0.1:1"),
                _ => &mut command,
            };
            let done = done(command);
            assert_eq!((done.code, done.out.as_str()), (code, ""), "{kind}: {done}");
            for secret in world.secrets() {
                assert!(!done.err.contains(&secret), "{kind}: {done}");
            }
            done
        };
        let plain = run(&[], "C");
        plain.says(english);
        plain.says("\n  do: ");
        let own = plain.err.lines().last().unwrap();
        assert!(own.starts_with("  manis: "), "{kind}: {plain}");
        let spoken = run(&[], "fr_FR.UTF-8");
        spoken.says(french);
        spoken.says("provider-auth : ");
        spoken.says("\n  à faire : ");
        let error = run(&["--json"], "fr_FR.UTF-8").error();
        assert_eq!(error["kind"], kind);
        assert_eq!(error["provider"], "manis");
        assert!(error["message"].as_str().unwrap().starts_with("manis: "), "{error}");
        assert!(error["help"].as_str().unwrap().starts_with("https://"), "{error}");
        if kind == "RateLimited" {
            assert_eq!((&error["status"], &error["retry_after"]), (&429.into(), &90.0.into()));
        }
    }
}

#[test]
fn a_cache_that_cannot_be_emptied_is_its_own_exit_code() {
    let world = World::new();
    assert_eq!(world.run(&["token", "manis"]).code, 0);
    std::fs::create_dir(world.cache().join("pa1.made-up.rec")).unwrap();
    let done = world.run(&["cache", "clear", "--json"]);
    assert_eq!(done.code, 11, "{done}");
    assert_eq!(done.error()["kind"], "Store");
}

#[test]
fn a_full_disk_is_an_error_and_a_reader_that_went_away_is_none() {
    let world = World::new();
    let run = |target: &str| {
        let mut command = std::process::Command::new("sh");
        world.point(&mut command);
        command.envs(world.sandbox.manis().env());
        let line = format!("{} --json {target}", binary().display());
        command.args(["-c", &line]).stderr(Stdio::piped());
        done(command)
    };
    for words in ["token manis", "check", "version", "providers"] {
        let done = run(&format!("{words} > /dev/full"));
        assert_eq!(done.code, 12, "{words}: {done}");
        assert_eq!(done.error()["kind"], "Output");
    }
    let done = run("providers | true; exit 0");
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done}");
}

#[test]
fn wrong_arguments_are_named_and_their_values_are_not() {
    let world = World::new();
    for (args, says) in [
        (&["token", "manis", "--secret", "CANARY"][..], "no option takes a secret"),
        (&["token", "manis", "--token=CANARY"], "no option takes a secret"),
        (&["login", "manis", "--password", "CANARY"], "no option takes a secret"),
        (&["token", "manis", "CANARY"], "a word too many"),
        (&["token", "CANARY"], "has a value that cannot be used"),
        (&["CANARY"], "a word too many, or an unknown command"),
        (&["token", "manis", "--min-valid", "CANARY"], "--min-valid has a value"),
        (&["token", "manis", "--whatever=CANARY"], "there is no option --whatever"),
        (&["token"], "is missing"),
        (&[], "is missing"),
        (&["exec", "manis"], "is missing"),
        (&["login", "manis"], "standard input is not a terminal"),
        (&["token", "manis", "--profile", "../CANARY"], "a profile's name"),
    ] {
        let done = world.run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}: {done}");
        done.says(says);
        assert!(!done.err.contains("CANARY"), "{args:?}: {done}");
        assert_eq!(done.err.lines().count(), 2, "{args:?}: {done}");
        let french = world.run(&[&["--lang", "fr"], args].concat());
        assert!(french.err.contains("à faire : "), "{args:?}: {french}");
    }
}

#[test]
fn what_a_machine_reads_has_no_colours_and_an_empty_no_color_counts_as_not_set() {
    let world = World::new();
    let run = |args: &[&str], no_color: Option<&str>| {
        let mut command = world.command(args);
        command.env("CLICOLOR_FORCE", "1").envs(no_color.map(|value| ("NO_COLOR", value)));
        done(command).out
    };
    for args in [
        &["token", "manis", "--color", "always"][..],
        &["token", "manis", "--json", "--color", "always"],
        &["check", "manis", "--json", "--color", "always"],
        &["header", "manis", "--color", "always"],
    ] {
        assert!(!run(args, None).contains('\u{1b}'), "{args:?}");
    }
    assert!(run(&["check", "manis"], Some("")).contains('\u{1b}'));
    assert!(!run(&["check", "manis"], Some("1")).contains('\u{1b}'));
    assert!(!run(&["check", "manis", "--color", "never"], None).contains('\u{1b}'));
}

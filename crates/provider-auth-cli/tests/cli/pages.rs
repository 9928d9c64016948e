//! What describes the command, and `inspect`.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::world::{Done, World, done, fed, has};

#[test]
fn completions_load_without_an_error() {
    let world = World::new();
    for (shell, check) in [
        ("bash", &["bash", "-n"][..]),
        ("zsh", &["zsh", "-n"]),
        ("fish", &["fish", "-n"]),
        ("powershell", &[]),
        ("elvish", &[]),
    ] {
        for lang in ["en", "fr"] {
            let page = world.run(&["completions", shell, "--lang", lang]);
            assert!(page.code == 0 && page.out.contains("min-valid"), "{shell}: {page}");
            let Some((program, args)) = check.split_first() else { continue };
            if !has(program) {
                continue;
            }
            let file = world.home.join(shell);
            std::fs::write(&file, &page.out).unwrap();
            let mut command = Command::new(program);
            command.args(args).arg(&file);
            let checked = done(command);
            assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{shell}: {checked}");
        }
    }
}

#[test]
fn manual_pages_are_read_without_a_warning() {
    let world = World::new();
    let folder = world.home.join("man");
    for lang in ["en", "fr"] {
        let made = world.run(&["man", folder.to_str().unwrap(), "--lang", lang]);
        assert_eq!(made.code, 0, "{made}");
        let pages: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(pages.len() > 15, "{pages:?}");
        assert!(folder.join("provider-auth-token.1").exists(), "{pages:?}");
        if !has("man") {
            continue;
        }
        for page in pages {
            let mut command = Command::new("man");
            command.args(["--warnings", "-E", "UTF-8", "-l"]).arg(&page).env("MANWIDTH", "80");
            let read = done(command);
            assert_eq!((read.code, read.err.as_str()), (0, ""), "{}: {read}", page.display());
        }
    }
    assert!(world.run(&["man"]).out.contains(".TH provider-auth"));
}

#[test]
fn help_is_in_the_language_of_its_reader() {
    let world = World::new();
    let help = |lang: &str, args: &[&str]| {
        let mut command = world.bare(args);
        command.env("LC_ALL", lang);
        done(command)
    };
    let french = help("fr_CI.UTF-8", &["exec", "--help"]);
    assert_eq!(french.code, 0, "{french}");
    for text in ["Utilisation : provider-auth exec", "sans les secrets", "Options de toutes"] {
        assert!(french.out.contains(text), "{text}: {french}");
    }
    for text in ["Usage", "Print", "Commands"] {
        assert!(!french.out.contains(text), "{text}: {french}");
    }
    let english = help("C.UTF-8", &["--help"]);
    assert!(english.out.contains("Usage: provider-auth"), "{english}");
    assert!(help("C", &["--version"]).out.starts_with("provider-auth 0."));
    let version = help("C", &["version", "--json"]).json();
    assert_eq!(version["provider_auth"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_provider_is_shown_with_its_variables() {
    let world = World::new();
    let show = world.run(&["providers", "show", "papaya"]);
    for text in ["PAPAYA_CLIENT_SECRET", "required", "POST /token", "configured: environment"] {
        assert!(show.out.contains(text), "{text}: {show}");
    }
    for secret in world.secrets() {
        assert!(!show.out.contains(&secret), "{show}");
    }
    let value = world.run(&["providers", "--json"]).json();
    assert_eq!(value["providers"].as_array().unwrap().len(), 5);
}

fn inspect(world: &World, args: &[&str], token: &[u8]) -> Done {
    fed(world.bare(&[&["inspect"], args].concat()), token)
}

fn jwt(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn a_token_is_inspected_without_its_claims_unless_they_are_asked_for() {
    let world = World::new();
    let token =
        jwt(r#"{"alg":"none"}"#, r#"{"exp":4102444800.5,"iat":1767229200,"sub":"CLAIM\u001b[2J"}"#);
    let shown = inspect(&world, &[], token.as_bytes());
    assert_eq!(shown.code, 0, "{shown}");
    for text in ["alg   none", "exp   2100-01-01T00:00:00Z", "signature not verified"] {
        assert!(shown.out.contains(text), "{text}: {shown}");
    }
    assert!(!shown.out.contains("CLAIM"), "{shown}");
    assert!(!inspect(&world, &["--json"], token.as_bytes()).out.contains("CLAIM"));
    let header = format!("Authorization: Bearer {token}\n");
    let claims = inspect(&world, &["--claims"], header.as_bytes());
    assert!(claims.out.contains("CLAIM") && !claims.out.contains('\u{1b}'), "{claims}");
    let real = world.run(&["token", "tresorpay"]).out;
    let value = inspect(&world, &["--json"], real.as_bytes()).json();
    assert_eq!((&value["type"], &value["alg"]), (&"JWT".into(), &"RS256".into()));
}

#[test]
fn garbage_is_no_token_and_no_panic() {
    let world = World::new();
    let deep = format!(r#"{{"a":{}}}"#, "[".repeat(10_000));
    for (input, code) in [
        (b"".to_vec(), 2),
        (b" \n".to_vec(), 2),
        (b"\xff\xfe".to_vec(), 2),
        (vec![b'x'; 3_000_000], 2),
        (b"opaque|token".to_vec(), 0),
        (b"...".to_vec(), 0),
        (b"a.b.c".to_vec(), 0),
        (jwt("[]", "{}").into_bytes(), 0),
        (jwt("{}", &deep).into_bytes(), 0),
        (jwt(r#"{"alg":1}"#, r#"{"exp":-1,"iat":1e300}"#).into_bytes(), 0),
        (jwt(r#"{"alg":"\u202ex"}"#, r#"{"exp":18446744073709551615}"#).into_bytes(), 0),
    ] {
        let shown = inspect(&world, &[], &input);
        let length = input.len();
        assert_eq!(shown.code, code, "{length} bytes: {shown}");
        assert!(!shown.err.contains("panicked"), "{shown}");
        assert!(!shown.out.contains('\u{202e}'), "{shown}");
    }
}

//! Nothing secret in an argument, a log, an error or a file.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use auth_sandbox::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::{World, done, fed, has};

/// Everything that must not be seen: secrets, tokens, and the secrets as Basic sends them.
fn canaries(world: &World) -> Vec<String> {
    let mut all = world.secrets();
    for handle in world.sandbox.handles() {
        let credentials = handle.credentials();
        let pair = format!("{}:{}", credentials.id(), credentials.secret());
        all.push(STANDARD.encode(pair));
    }
    for name in ["digitalpaye", "digishare", "tresorpay", "papaya", "manis"] {
        let token = world.run(&["token", name]).out.trim().to_owned();
        assert!(token.len() > 20);
        all.push(token);
    }
    all
}

#[test]
fn no_argument_of_any_process_holds_a_secret_or_a_token() {
    let world = World::new();
    let canaries = canaries(&world);
    let url = world.sandbox.manis().api_url();
    let file = world.env_file("all.env");
    let mut lines = BTreeSet::new();
    for args in [
        &["token", "manis", "--refresh"][..],
        &["header", "digitalpaye"],
        &["exec", "manis", "--", "sleep", "0.2"],
        &["exec", "--fd", "manis", "--", "sleep", "0.2"],
        &["curl", "manis", "--", "-sS", &url],
        &["check"],
        &["token", "papaya", "--env-file", file.to_str().unwrap()],
        &["cache", "list"],
        &["doctor", "--login"],
    ] {
        if args[0] == "curl" && !has("curl") {
            continue;
        }
        let mut command = world.command(args);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            let path = format!("/proc/{}/cmdline", child.id());
            lines.insert(std::fs::read_to_string(path).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert!(lines.iter().any(|line| line.contains("--max-redirs")), "curl was seen: {lines:?}");
    for line in lines {
        for canary in &canaries {
            assert!(!line.contains(canary), "{line}");
        }
    }
}

#[test]
fn no_log_line_at_any_level_holds_a_secret_or_a_token() {
    let world = World::new();
    let canaries = canaries(&world);
    for (fault, lines) in [(None, 1), (Some(401), 1), (Some(503), 1), (Some(200), 0)] {
        if let Some(status) = fault {
            for handle in world.sandbox.handles() {
                handle.inject(Fault::Status(status));
            }
        }
        for args in [
            &["check", "-vvv"][..],
            &["token", "manis", "-vvv", "--refresh", "--json"],
            &["doctor", "-vvv", "--login"],
        ] {
            let done = world.run(args);
            let is_asked = args[0] != "doctor" || fault.is_none();
            assert!(done.err.lines().count() >= lines || !is_asked, "{args:?}: {done}");
            // What `token` prints is the token; what a doctor prints is none.
            let shown = if args[0] == "doctor" { &done.out } else { "" };
            for canary in &canaries {
                assert!(!done.err.contains(canary) && !shown.contains(canary), "{args:?}: {done}");
            }
        }
    }
}

#[test]
fn the_cache_and_the_profile_are_for_their_owner_alone_and_no_token_is_in_the_clear() {
    let world = World::new();
    let canaries = canaries(&world);
    let mut files = 0;
    walk(&world.cache(), &mut |path, mode| {
        files += 1;
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        let bytes = std::fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for canary in &canaries {
            assert!(!text.contains(canary), "{}", path.display());
        }
    });
    assert!(files >= 6, "a key and five records: {files}");
}

#[test]
fn a_login_prints_no_token_and_no_secret() {
    let world = World::new();
    let canaries = canaries(&world);
    let lines = std::fs::read(world.env_file("all.env")).unwrap();
    let done = fed(world.bare(&["login", "manis", "--stdin", "-vvv"]), &lines);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{done}");
    for canary in &canaries {
        assert!(!done.err.contains(canary), "{done}");
    }
}

#[test]
fn no_error_shows_a_value_of_a_setting() {
    let world = World::new();
    for (name, value) in [
        ("MANIS_SECRET", "CANARY\nCANARY"),
        ("MANIS_BASE_URL", "https://u:CANARY@x.example"),
        ("MANIS_EXPIRES_AT_UNIT", "CANARY"),
        ("MANIS_SECRET_FILE", "/CANARY"),
    ] {
        let mut command = world.command(&["token", "manis"]);
        command.env(name, value);
        let done = done(command);
        assert_eq!(done.code, 3, "{name}: {done}");
        assert!(!done.err.contains("CANARY"), "{name}: {done}");
    }
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path, u32)) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = std::fs::metadata(&path).unwrap();
        if found.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path, found.permissions().mode());
        }
    }
}

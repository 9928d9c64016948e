//! Where credentials come from: files, profiles, `login` and `logout`, the cache.

use auth_sandbox::{Fault, Provider};

use crate::world::{World, done, fed, set_mode};

#[test]
fn a_login_is_proved_stored_and_used_and_a_logout_removes_all_of_it() {
    let world = World::new();
    let lines = std::fs::read(world.env_file("all.env")).unwrap();
    let stored = fed(world.bare(&["login", "manis", "--stdin"]), &lines);
    assert_eq!(stored.code, 0, "{stored}");
    stored.says("manis: the credentials work; stored in ");
    let path = world.home.join("config/provider-auth/default.env");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("MANIS_SECRET=") && !text.contains("PAPAYA"), "its own alone");
    assert_eq!(world.asked(Provider::Manis), 1);

    let got = done(world.bare(&["token", "manis", "--json"])).json();
    assert_eq!(got["source"], "cache", "the proof is of use to the next call");
    let list = done(world.bare(&["providers"])).out;
    let row = list.lines().find(|line| line.starts_with("manis")).unwrap();
    assert!(row.contains(" profile "), "{list}");

    let second = fed(world.bare(&["login", "papaya", "--stdin"]), &lines);
    assert_eq!(second.code, 0, "{second}");
    assert!(std::fs::read_to_string(&path).unwrap().contains("MANIS_SECRET="), "others stay");

    let gone = done(world.bare(&["logout", "manis"]));
    assert_eq!(gone.code, 0, "{gone}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("MANIS") && text.contains("PAPAYA_API_KEY="));
    assert_eq!(done(world.bare(&["token", "manis"])).code, 3);
    let again = world.run(&["token", "manis", "--json"]).json();
    assert_eq!(again["source"], "exchange", "the cached token is gone too");
    done(world.bare(&["logout", "manis"])).says("nothing was stored");
}

#[test]
fn a_login_with_a_wrong_secret_stores_nothing_although_a_token_is_cached() {
    let world = World::new();
    assert_eq!(world.run(&["token", "manis"]).code, 0);
    let text = std::fs::read_to_string(world.env_file("all.env")).unwrap();
    let secret = world.sandbox.manis().credentials().secret().to_owned();
    let wrong = text.replace(&secret, "made-up-wrong");
    let refused = fed(world.bare(&["login", "manis", "--stdin"]), wrong.as_bytes());
    assert_eq!(refused.code, 4, "{refused}");
    assert!(!world.home.join("config/provider-auth/default.env").exists());
    let good = fed(world.bare(&["login", "manis", "--stdin"]), text.as_bytes());
    assert_eq!(good.code, 0, "{good}");
}

#[test]
fn the_first_place_counts_and_is_named() {
    let world = World::new();
    let file = world.env_file("own.env");
    let file = file.to_str().unwrap();
    let from = |done: crate::world::Done| {
        done.json()["providers"][0]["from"].as_str().map(str::to_owned).unwrap()
    };
    let lines = std::fs::read(file).unwrap();
    let login = fed(world.bare(&["login", "manis", "--profile", "work", "--stdin"]), &lines);
    assert_eq!(login.code, 0, "{login}");
    let check = ["check", "manis", "--json"];
    assert_eq!(from(world.run(&check)), "environment");
    assert_eq!(from(world.run(&[&check[..], &["--profile", "work"]].concat())), "profile");
    let all = [&check[..], &["--profile", "work", "--env-file", file]].concat();
    assert_eq!(from(world.run(&all)), "--env-file");
    let bare = done(world.bare(&[&check[..], &["--env-file", file]].concat()));
    assert_eq!(from(bare), "--env-file");
    assert_eq!(world.asked(Provider::Manis), 1, "all of them share one token");
}

#[test]
fn a_file_of_others_or_with_a_fault_is_refused_by_name() {
    let world = World::new();
    let file = world.env_file("own.env");
    let args = ["token", "manis", "--env-file", file.to_str().unwrap()];
    for mode in [0o640, 0o604] {
        set_mode(&file, mode);
        let open = done(world.bare(&args));
        assert_eq!(open.code, 3, "{open}");
        open.says("own.env can be read by others");
        open.says("do: chmod 600 ");
    }
    set_mode(&file, 0o600);
    std::fs::write(&file, "MANIS_SECRET=CANARY\nCANARY\n").unwrap();
    let fault = done(world.bare(&args));
    assert_eq!(fault.code, 3, "{fault}");
    fault.says("line 2 is not NAME=value");
    assert!(!fault.err.contains("CANARY"), "{fault}");
    std::fs::write(&file, "MANIS_SECRET=CANARY\n").unwrap();
    let half = done(world.bare(&args));
    assert_eq!(half.code, 3, "{half}");
    half.says("--env-file: set MANIS_MERCHANT_ID");
    let missing = done(world.bare(&["token", "manis", "--env-file", "nowhere"]));
    assert_eq!(missing.code, 3, "{missing}");
}

#[test]
fn a_token_made_by_hand_needs_no_exchange() {
    let world = World::new();
    let mut command = world.bare(&["token", "digishare", "--json"]);
    command.env("DIGISHARE_PERSONAL_ACCESS_TOKEN", "made-up-token");
    let value = done(command).json();
    assert_eq!((&value["token"], &value["source"]), (&"made-up-token".into(), &"settings".into()));
    assert!(value["expires_at"].is_null());
}

#[test]
fn the_cache_is_listed_and_emptied() {
    let world = World::new();
    assert_eq!(world.run(&["check"]).code, 0);
    let path = world.run(&["cache", "path"]).out;
    assert_eq!(path.trim(), world.cache().to_str().unwrap());
    let list = world.run(&["cache", "list"]).out;
    assert!(list.contains("manis        60 min of 60 min"), "{list}");
    world.run(&["cache", "clear", "manis"]).says("1 removed");
    let list = world.run(&["cache", "list"]).out;
    assert!(list.contains("manis        no token"), "{list}");
    world.run(&["cache", "clear", "manis"]).says("0 removed");
    world.run(&["cache", "clear"]).says("4 removed");
    world.sandbox.manis().inject(Fault::Status(401));
    assert_eq!(world.run(&["token", "manis"]).code, 4);
    let list = world.run(&["cache", "list"]).out;
    assert!(
        list.contains("refused, not asked again for") && list.contains("Credentials"),
        "{list}"
    );
    let asked: u64 = Provider::ALL.iter().map(|provider| world.asked(*provider)).sum();
    assert_eq!(asked, 6, "to look asks nobody");
}

#[test]
fn a_key_is_another_one_each_time() {
    let world = World::new();
    let keys = [world.run(&["cache", "key"]).out, world.run(&["cache", "key"]).out];
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0].trim().len(), 44);
}

#[cfg(feature = "keyring")]
#[test]
fn a_keyring_that_never_answers_is_an_error_after_three_seconds_and_nothing_is_in_the_clear() {
    use std::time::{Duration, Instant};
    let world = World::new();
    let socket = world.home.join("bus");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let lines = std::fs::read(world.env_file("all.env")).unwrap();
    for args in [&["token", "manis"][..], &["login", "manis", "--keyring", "--stdin"]] {
        let mut command = world.bare(args);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
        let began = Instant::now();
        let refused = fed(command, &lines);
        assert_eq!(refused.code, 3, "{args:?}: {refused}");
        refused.says("--env-file");
        assert!(began.elapsed() < Duration::from_secs(6), "{args:?}: {:?}", began.elapsed());
    }
    assert!(!world.home.join("config").exists());
}

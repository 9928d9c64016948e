//! `doctor` against everything that may be wrong: the right step fails, says the right thing, in time.

use std::process::Command;
use std::time::{Duration, Instant};

use auth_sandbox::{Fault, Provider, RetryAfter};
use serde_json::Value;

use crate::peers::{self, Made, valid};
use crate::world::{Done, World, done, has, set_mode};

/// One step of a report, by provider (or `machine`) and id.
fn step<'a>(report: &'a Value, provider: &str, id: &str) -> &'a Value {
    let steps = match provider {
        "machine" => &report["machine"],
        name => {
            let providers = report["providers"].as_array().unwrap();
            &providers.iter().find(|it| it["provider"] == name).unwrap()["steps"]
        }
    };
    steps.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap()
}

/// Runs `doctor manis`, and expects one step to fail: this one, with these words in what it found or
/// advises, and an advice, in both languages and in time.
fn fails(command: impl Fn(&[&str]) -> Command, id: &str, code: i32, says: &str) -> Value {
    let began = Instant::now();
    let done = done(command(&["--json"]));
    let took = began.elapsed();
    assert!(took < Duration::from_millis(6_500), "{id} took {took:?}");
    assert_eq!(done.code, code, "{done}");
    let report = done.json();
    assert_eq!(report["exit"], code);
    let place = if ["cache", "store"].contains(&id) { "machine" } else { "manis" };
    let failed = step(&report, place, id);
    assert_eq!(failed["state"], "fail", "{done}");
    let text = format!("{} {}", failed["found"], failed["advice"]);
    assert!(text.contains(says), "{says}: {text}");
    assert!(failed["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{text}");
    let all = [&report["providers"][0]["steps"], &report["machine"]];
    let all = all.iter().flat_map(|steps| steps.as_array().unwrap());
    let failures: Vec<_> = all.filter(|step| step["state"] == "fail").collect();
    assert_eq!(failures.len(), 1, "{done}");
    report
}

fn with<'a>(world: &'a World, pairs: &'a [(&'a str, String)]) -> impl Fn(&[&str]) -> Command + 'a {
    move |more| {
        let mut command = world.bare(&[&["doctor", "manis"], more].concat());
        command.envs(world.sandbox.manis().env());
        for (name, value) in pairs {
            match value.as_str() {
                "-" => command.env_remove(name),
                value => command.env(name, value),
            };
        }
        command
    }
}

fn url(scheme: &str, port: u16) -> (&'static str, String) {
    ("MANIS_BASE_URL", format!("{scheme}://localhost:{port}"))
}

#[test]
fn all_is_well_on_the_sandbox_and_no_secret_is_sent_unasked() {
    let world = World::new();
    let plain = world.run(&["doctor", "--json"]);
    assert_eq!(plain.code, 0, "{plain}");
    let report = plain.json();
    for provider in Provider::ALL {
        let name = provider.name();
        for (id, state) in [
            ("env", "ok"),
            ("endpoint", "ok"),
            ("proxy", "ok"),
            ("dns", "ok"),
            ("tcp", "ok"),
            ("tls", "skip"),
            ("time", "ok"),
            ("shape", "ok"),
            ("login", "skip"),
        ] {
            assert_eq!(step(&report, name, id)["state"], state, "{name} {id}: {plain}");
        }
        assert_eq!(world.sandbox.handle(provider).counters().tokens_issued, 0, "{name}");
    }
    assert_eq!(step(&report, "machine", "cache")["state"], "ok", "{plain}");
    assert_eq!(step(&report, "machine", "store")["state"], "skip", "{plain}");
    let login = world.run(&["doctor", "--login", "--json"]);
    assert_eq!(login.code, 0, "{login}");
    for provider in Provider::ALL {
        assert_eq!(step(&login.json(), provider.name(), "login")["state"], "ok", "{login}");
    }
    // A login asks the provider, whatever the cache has.
    assert_eq!(world.run(&["doctor", "manis", "--login"]).code, 0);
    assert_eq!(world.sandbox.manis().counters().tokens_issued, 2);
    for secret in world.secrets() {
        assert!(!plain.out.contains(&secret) && !login.out.contains(&secret));
    }
}

#[test]
fn not_one_byte_of_a_credential_leaves_before_login() {
    use base64::Engine as _;
    let world = World::new();
    let (port, sent) = peers::recorder();
    let to = |base: &str| {
        let mut command = world.command(&["doctor", "-vvv"]);
        for (name, path) in [
            ("DIGITALPAYE_BASE_URL", ""),
            ("DIGISHARE_BASE_URL", ""),
            ("TRESORPAY_TOKEN_URL", "/realms/tresorpay/protocol/openid-connect/token"),
            ("PAPAYA_BASE_URL", ""),
            ("MANIS_BASE_URL", ""),
        ] {
            command.env(name, format!("{base}{path}"));
        }
        command
    };
    let report = done(to(&format!("http://127.0.0.1:{port}")));
    assert_eq!(report.code, 0, "{report}");
    let mut proxied = to("https://pay.example.com");
    proxied.env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
    let proxied = done(proxied);
    assert_eq!(proxied.code, 8, "{proxied}");
    let sent = String::from_utf8_lossy(&sent.lock().unwrap()).into_owned();
    assert_eq!(sent.matches("POST /").count(), 5, "{sent}");
    assert_eq!(sent.matches("CONNECT pay.example.com:443").count(), 5, "{sent}");
    for handle in world.sandbox.handles() {
        let credentials = handle.credentials();
        let base64 = base64::engine::general_purpose::STANDARD;
        let basic = base64.encode(format!("{}:{}", credentials.id(), credentials.secret()));
        for value in [credentials.id(), credentials.secret(), &basic] {
            assert!(!sent.contains(value), "{value} was sent:\n{sent}");
            for said in [&report, &proxied] {
                assert!(!said.out.contains(value) && !said.err.contains(value), "{said}");
            }
        }
    }
    assert!(!sent.to_ascii_lowercase().contains("authorization:"), "{sent}");
}

#[test]
fn what_is_wrong_with_the_variables_is_named() {
    let world = World::new();
    let file = world.home.join("secret");
    std::fs::write(&file, "made-up\n").unwrap();
    let path = file.display().to_string();
    for (pairs, id, says) in [
        (vec![("MANIS_SECRET", "-".to_owned())], "env", "not set: MANIS_SECRET"),
        (vec![("MANIS_SECRET", " \n".to_owned())], "env", "MANIS_SECRET is blank"),
        (vec![("MANIS_SECRET", "made-up\n".to_owned())], "env", "was a newline pasted with it"),
        (vec![("MANIS_SECRET_FILE", path)], "env", "are both set: unset one"),
        (vec![("MANIS_BASE_URL", "-".to_owned())], "endpoint", "set MANIS_BASE_URL"),
        (vec![("MANIS_BASE_URL", "https://api".to_owned())], "endpoint", "a host of one word"),
        (vec![("MANIS_BASE_URL", "http://m.example".to_owned())], "endpoint", "is plain http"),
        (
            vec![("MANIS_BASE_URL", "https://m\u{7}.example".to_owned())],
            "endpoint",
            "a control char",
        ),
    ] {
        let done = done(with(&world, &pairs)(&["--json"]));
        assert_eq!(done.code, 3, "{says}: {done}");
        let report = done.json();
        let step = step(&report, "manis", id);
        assert_eq!(step["state"], "fail", "{done}");
        let text = format!("{} {}", step["found"], step["advice"]);
        assert!(text.contains(says), "{says}: {text}");
    }
    // The endpoint is known without the secret, so the network is looked at.
    let unset = [("MANIS_SECRET", "-".to_owned())];
    let report = fails(with(&world, &unset), "env", 3, "MANIS_SECRET");
    assert_eq!(step(&report, "manis", "shape")["state"], "ok");
    let login = done(with(&world, &unset)(&["--login", "--json"]));
    assert_eq!(step(&login.json(), "manis", "login")["found"], "needs env", "{login}");
    // Half of it in one place, and the rest in another.
    let path = world.home.join("half.env");
    std::fs::write(&path, "MANIS_SECRET=made-up\n").unwrap();
    set_mode(&path, 0o600);
    let half = with(&world, &[])(&["--json", "--env-file", path.to_str().unwrap()]);
    let half = done(half);
    let report = half.json();
    let env = step(&report, "manis", "env");
    let says = "not set: MANIS_MERCHANT_ID, MANIS_BASE_URL; the others come from: --env-file";
    assert_eq!(env["found"], says, "{half}");
    assert!(env["advice"].as_str().unwrap().contains("in the same place"), "{half}");
    // What may be right is a warning.
    for (value, says) in [
        ("'made-up'", "in quotes"),
        ("${MANIS_SECRET}", "nothing has filled in"),
        ("/run/secrets/manis", "the path of a file"),
    ] {
        let pairs = [("MANIS_SECRET", value.to_owned())];
        let done = done(with(&world, &pairs)(&["--json"]));
        assert_eq!(done.code, 0, "{done}");
        let report = done.json();
        let env = step(&report, "manis", "env");
        assert_eq!(env["state"], "warn", "{done}");
        assert!(env["found"].as_str().unwrap().contains(says), "{done}");
        assert!(!done.out.contains(value), "{done}");
    }
    set_mode(&file, 0o666);
    let pairs =
        [("MANIS_SECRET", "-".to_owned()), ("MANIS_SECRET_FILE", file.display().to_string())];
    let done = done(with(&world, &pairs)(&["--json"]));
    assert!(
        step(&done.json(), "manis", "env")["found"].as_str().unwrap().contains("others may write")
    );
    set_mode(&file, 0o400);
    let done = crate::world::done(with(&world, &pairs)(&["--json"]));
    assert!(step(&done.json(), "manis", "env")["found"].as_str().unwrap().contains("(mode 0400)"));
}

#[test]
fn a_host_that_cannot_be_reached_is_told_apart() {
    let world = World::new();
    let (filtered, _listener, _held) = peers::filtered();
    let silent = peers::silent();
    let nowhere = ("MANIS_BASE_URL", "https://no-such-host.invalid".to_owned());
    for (pair, id, code, says) in [
        (nowhere, "dns", 8, "check the spelling of no-such-host.invalid"),
        (url("http", 1), "tcp", 8, "the port is closed"),
        (url("http", filtered), "tcp", 8, "a firewall drops it"),
        (url("https", silent), "tls", 8, "accepts the connection and then says nothing"),
        (url("http", silent), "shape", 9, "no answer from"),
    ] {
        let pairs = [pair];
        let report = fails(with(&world, &pairs), id, code, says);
        assert_eq!(step(&report, "manis", "login")["state"], "skip");
    }
}

#[test]
fn each_fault_of_a_certificate_is_told_apart() {
    let world = World::new();
    let root = Made::authority("Made-up Root", None);
    let public = Made::authority("Made-up Public CA", Some(&root));
    let untrusted = Made::authority("ACME Corporate Proxy", None);
    let roots = world.home.join("roots.pem");
    std::fs::write(&roots, &root.pem).unwrap();
    let roots = ("SSL_CERT_FILE", roots.display().to_string());
    let leaf =
        |host, issuer, step: fn(&mut rcgen::CertificateParams)| Made::leaf(host, issuer, step);
    let good = leaf("localhost", Some(&root), |_| {});
    let far = leaf("localhost", Some(&public), peers::with_place_of_issuer);
    let run = |port: u16, id: &str, says: &str| {
        let pairs = [url("https", port), roots.clone()];
        fails(with(&world, &pairs), id, 8, says);
    };
    let past = leaf("localhost", Some(&root), |params| valid(params, 2020, 2021));
    run(peers::tls(&past, &[]), "tls", "expired at 2021-01-01T00:00:00Z");
    let future = leaf("localhost", Some(&root), |params| valid(params, 2090, 2091));
    run(peers::tls(&future, &[]), "tls", "this machine's clock is behind");
    let other = leaf("pay.example.com", Some(&root), |_| {});
    run(peers::tls(&other, &[]), "tls", "is for pay.example.com, not for localhost");
    let unknown = leaf("localhost", Some(&untrusted), |_| {});
    run(
        peers::tls(&unknown, &[]),
        "tls",
        "does not trust the authority \\\"ACME Corporate Proxy\\\"",
    );
    run(peers::tls(&unknown, &[&untrusted]), "tls", "ACME Corporate Proxy");
    // What is added elsewhere would not be read.
    run(peers::tls(&unknown, &[]), "tls", "add its certificate to those of SSL_CERT_FILE");
    let own = leaf("localhost", None, |_| {});
    run(peers::tls(&own, &[]), "tls", "is self-signed");
    run(
        peers::tls(&far, &[]),
        "tls",
        "issued by \\\"Made-up Public CA\\\", and not that authority's own",
    );
    let plain = peers::recorder().0;
    run(plain, "tls", "does not speak TLS");
    // The one to blame, whatever else is sent.
    let old = Made::authority_that("Made-up Old Root", None, |params| valid(params, 2010, 2015));
    run(peers::tls(&past, &[&old]), "tls", "expired at 2021-01-01T00:00:00Z");
    let below = Made::authority("ACME Branch", Some(&untrusted));
    let branch = leaf("localhost", Some(&below), |_| {});
    run(peers::tls(&branch, &[&below, &public]), "tls", "authority \\\"ACME Corporate Proxy\\\"");
    // What `openssl req -x509` makes.
    let itself = leaf("localhost", None, |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    run(peers::tls(&itself, &[]), "tls", "marked as an authority's (CA:TRUE)");
    // A server that wants to know its clients says so during the handshake, or after it (TLS 1.3).
    let names = [vec![b"h2".to_vec()], vec![b"http/1.1".to_vec()]];
    let [h2, http1] =
        names.map(|names| move |config: &mut rustls::ServerConfig| config.alpn_protocols = names);
    run(peers::tls_that(&good, &[], Some(&root), http1), "tls", "wants a client certificate");
    run(peers::tls_that(&good, &[], None, h2), "tls", "NoApplicationProtocol");
    // And what is right is right: with the intermediate, and without need of one.
    for port in [peers::tls(&far, &[&public]), peers::tls(&good, &[])] {
        let pairs = [url("https", port), roots.clone()];
        let done = done(with(&world, &pairs)(&["--json"]));
        assert_eq!(done.code, 0, "{done}");
        let report = done.json();
        let tls = step(&report, "manis", "tls")["found"].as_str().unwrap();
        assert!(tls.starts_with("TLS 1.3, certificate from \"Made-up "), "{tls}");
    }
}

#[test]
fn a_setting_that_leads_to_no_certificate_is_named_before_anybody_is_suspected() {
    let world = World::new();
    let root = Made::authority("Made-up Root", None);
    let untrusted = Made::authority("ACME Corporate Proxy", None);
    let good = peers::tls(&Made::leaf("localhost", Some(&root), |_| {}), &[]);
    let unknown = peers::tls(&Made::leaf("localhost", Some(&untrusted), |_| {}), &[]);
    let at = |name: &str| world.home.join(name).display().to_string();
    std::fs::write(at("empty.pem"), "").unwrap();
    std::fs::write(
        at("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    std::fs::create_dir(at("certs")).unwrap();
    std::fs::write(at("certs/root.pem"), &root.pem).unwrap();
    std::fs::create_dir(at("others")).unwrap();
    std::fs::write(at("others/README"), "").unwrap();
    for (name, value) in [
        ("SSL_CERT_FILE", at("empty.pem")),
        ("SSL_CERT_FILE", at("broken.pem")),
        ("SSL_CERT_FILE", at("certs")),
        // Set, but to nothing: the client looks at no other file.
        ("SSL_CERT_FILE", String::new()),
        ("SSL_CERT_DIR", at("nowhere")),
        ("SSL_CERT_DIR", at("others")),
    ] {
        let pairs = [url("https", good), (name, value)];
        fails(with(&world, &pairs), "tls", 3, &format!("{name} leads to no certificate"));
    }
    // Where both are set, both count, so that one alone takes no trust away.
    let certs = ("SSL_CERT_DIR", at("certs"));
    let missing = ("SSL_CERT_FILE", at("nowhere.pem"));
    let beside = fails(
        with(&world, &[url("https", unknown), certs.clone(), missing.clone()]),
        "tls",
        8,
        "authority \\\"ACME Corporate Proxy\\\", and SSL_CERT_FILE leads to no certificate",
    );
    assert_eq!(step(&beside, "manis", "tls")["kind"], "Connect");
    let done = done(with(&world, &[url("https", good), certs, missing])(&["--json"]));
    assert_eq!(done.code, 0, "{done}");
}

#[test]
fn a_dns_server_that_does_not_answer_holds_nothing_up() {
    let world = World::new();
    let conf = world.home.join("resolv.conf");
    std::fs::write(&conf, "nameserver 127.0.0.1\n").unwrap();
    // A network of its own, with a DNS server that reads and says nothing, or with none.
    let alone = "ip link set lo up && mount --bind \"$1\" /etc/resolv.conf || exit 99; shift; \
                 rm -f \"$HOME/bound\"; python3 -c \"$PYTHON\" > \"$HOME/bound\" & server=$!; \
                 until [ -s \"$HOME/bound\" ]; do kill -0 $server || exit 99; sleep 0.05; done; \
                 \"$@\"; code=$?; kill $server; exit $code";
    let python = "import socket, time; s = socket.socket(type=socket.SOCK_DGRAM); \
                  s.bind(('127.0.0.1', PORT)); print(1, flush=True); time.sleep(60)";
    let alone = |command: Command, port: &str| {
        let mut outer = Command::new("unshare");
        outer.args(["--mount", "--net", "--map-root-user", "sh", "-c", alone, "sh"]).arg(&conf);
        outer.arg(command.get_program()).args(command.get_args()).env_clear();
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer.env("PYTHON", python.replace("PORT", port));
        outer
    };
    let mut trial = Command::new("true");
    world.point(&mut trial);
    if !has("unshare") || !has("ip") || !has("python3") || done(alone(trial, "53")).code != 0 {
        eprintln!("left out: no network of its own can be made here");
        return;
    }
    let pairs = [("MANIS_BASE_URL", "https://pay.example.com".to_owned())];
    let with_port = |port| {
        let (with, alone) = (with(&world, &pairs), &alone);
        move |more: &[&str]| alone(with(more), port)
    };
    fails(with_port("53"), "dns", 8, "no DNS server answered");
    fails(with_port("54"), "dns", 8, "could not be looked up, since DNS failed");
}

#[test]
fn a_container_without_certificates_is_told_to_install_them() {
    let world = World::new();
    let root = Made::authority("Made-up Root", None);
    let port = peers::tls(&Made::leaf("localhost", Some(&root), |_| {}), &[]);
    // A machine's certificates, hidden from one process.
    let hide = "for d in /etc/ssl /usr/lib/ssl /usr/share/ca-certificates /etc/pki; do \
                if [ -d $d ]; then mount -t tmpfs none $d || exit 99; fi; done; exec \"$@\"";
    let hidden = |command: Command| {
        let mut outer = Command::new("unshare");
        outer.args(["--mount", "--map-root-user", "sh", "-c", hide, "sh"]);
        outer.arg(command.get_program()).args(command.get_args()).env_clear();
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer
    };
    let mut trial = hidden(Command::new("true"));
    trial.env("PATH", std::env::var("PATH").unwrap());
    if !has("unshare") || !trial.status().is_ok_and(|status| status.success()) {
        eprintln!("left out: certificates cannot be hidden here");
        return;
    }
    let pairs = [url("https", port)];
    fails(|more| hidden(with(&world, &pairs)(more)), "tls", 3, "install `ca-certificates`");
}

#[test]
fn a_clock_that_is_wrong_either_way_is_seen() {
    let world = World::new();
    for (skew, says) in [
        (auth_sandbox::Skew::Ahead(Duration::from_secs(3_600)), "60 min behind the provider's"),
        (auth_sandbox::Skew::Behind(Duration::from_secs(3_600)), "60 min ahead of the provider's"),
    ] {
        world.sandbox.manis().set_clock_skew(skew);
        fails(with(&world, &[]), "time", 3, says);
    }
}

#[test]
fn who_answers_in_the_providers_place_is_told_apart() {
    let world = World::new();
    let manis = world.sandbox.manis();
    let after = RetryAfter::In(Duration::from_secs(90));
    for (fault, code, says) in [
        (Fault::CaptivePortal, 10, "a web page answers"),
        (Fault::Status(404), 5, "there is no token endpoint at this path"),
        (Fault::Status(503), 7, "the provider is down"),
        (Fault::RetryAfter { status: 429, after }, 6, "Retry-After: 90"),
        (Fault::Reset, 7, "broke before an answer came"),
    ] {
        manis.inject(fault);
        fails(with(&world, &[]), "shape", code, says);
        manis.clear_faults();
    }
    let env = manis.env();
    let (_, base) = env.iter().find(|(name, _)| *name == "MANIS_BASE_URL").unwrap();
    let base = format!("{base}/wrong");
    fails(with(&world, &[("MANIS_BASE_URL", base)]), "shape", 5, "check the URL in step endpoint");
    // A login is not sent to a portal.
    manis.inject(Fault::CaptivePortal);
    let done = world.run(&["doctor", "manis", "--login", "--json"]);
    assert_eq!(step(&done.json(), "manis", "login")["found"], "needs shape", "{done}");
}

#[test]
fn a_proxy_is_named_with_what_it_refuses() {
    let world = World::new();
    let root = Made::authority("Made-up Root", None);
    let roots = world.home.join("roots.pem");
    std::fs::write(&roots, &root.pem).unwrap();
    let port = peers::tls(&Made::leaf("localhost", Some(&root), |_| {}), &[]);
    let pairs = |proxy: u16| {
        [
            url("https", port),
            ("SSL_CERT_FILE", roots.display().to_string()),
            ("HTTPS_PROXY", format!("http://user:CANARY@127.0.0.1:{proxy}")),
        ]
    };
    let down = pairs(1);
    let report = fails(with(&world, &down), "tcp", 8, "no connection to the proxy");
    assert_eq!(step(&report, "manis", "dns")["found"], "the proxy resolves names");
    let (auth, denied) =
        (peers::proxy("407 Proxy Authentication Required"), peers::proxy("403 No"));
    fails(
        with(&world, &pairs(auth)),
        "proxy",
        8,
        "rejects the user name and password in HTTPS_PROXY",
    );
    fails(with(&world, &pairs(denied)), "proxy", 8, "makes no connection to localhost");
    fails(with(&world, &pairs(peers::silent())), "proxy", 8, "did not answer in 5 s");
    let none = [url("https", port), ("https_proxy", format!("127.0.0.1:{auth}"))];
    fails(with(&world, &none), "proxy", 8, "set https_proxy=http://user:password@proxy");
    // A proxy behind TLS: its certificate is looked at like any other, and then its answer.
    let untrusted = Made::authority("ACME Corporate Proxy", None);
    for (issuer, says) in [(&untrusted, "ACME Corporate Proxy"), (&root, "makes no connection to")]
    {
        let leaf = Made::leaf("127.0.0.1", Some(issuer), |_| {});
        let [target, roots, _] = pairs(1);
        let proxy = format!("https://127.0.0.1:{}", peers::tls(&leaf, &[]));
        fails(with(&world, &[target, roots, ("HTTPS_PROXY", proxy)]), "proxy", 8, says);
    }
    let through = pairs(peers::proxy("200 OK"));
    let done = done(with(&world, &through)(&["--json"]));
    assert_eq!(done.code, 0, "{done}");
    // In the clear and in base64.
    for written in ["CANARY", "dXNlcjpDQU5BUlk"] {
        assert!(!done.out.contains(written) && !done.err.contains(written), "{done}");
    }
    let report = done.json();
    // `localhost` through a proxy is a mistake that still works here.
    assert_eq!(step(&report, "manis", "proxy")["state"], "warn", "{done}");
    assert_eq!(step(&report, "manis", "tls")["state"], "ok", "{done}");
    assert_eq!(step(&report, "manis", "shape")["state"], "ok", "{done}");
}

#[test]
fn a_proxy_setting_that_cannot_work_is_named_and_not_shown() {
    let world = World::new();
    let port = peers::recorder().0;
    for (value, code, says) in [
        (format!("socks5://user:CANARY@127.0.0.1:{port}"), 8, "speaks socks5, which this client"),
        // To the client the user is the host, and must not be asked of DNS.
        ("http://CANARY:8#CANARY@127.0.0.1:8".to_owned(), 3, "which ends the host name"),
        ("http://CANARY:8/CANARY@127.0.0.1:8".to_owned(), 3, "`%2F` for /"),
    ] {
        let pairs = [url("https", port), ("HTTPS_PROXY", value)];
        let report = fails(with(&world, &pairs), "proxy", code, says);
        assert!(!report.to_string().contains("CANARY"), "{report}");
        assert_eq!(step(&report, "manis", "tcp")["found"], "needs proxy");
    }
    // The client takes no notice of these, so neither is a failure of its own.
    for (name, value, state, says) in [
        ("HTTPS_PROXY", "htp://user:CANARY@127.0.0.1:8", "warn", "so it is ignored"),
        ("ALL_PROXY", "127.0.0.1:8/", "warn", "ALL_PROXY is set but"),
        ("https_proxy", "http://user:CANARY@127.0.0.1:8", "ok", "NO_PROXY excludes localhost"),
    ] {
        let no = ("NO_PROXY", "localhost".to_owned());
        let pairs = [url("https", port), (name, value.to_owned()), no];
        let done = done(with(&world, &pairs)(&["--json"]));
        let report = done.json();
        let proxy = step(&report, "manis", "proxy");
        assert_eq!(proxy["state"], state, "{done}");
        assert!(proxy["found"].as_str().unwrap().contains(says), "{done}");
        assert_eq!(step(&report, "manis", "tcp")["state"], "ok", "{done}");
        assert!(!done.out.contains("CANARY") && !done.err.contains("CANARY"), "{done}");
    }
}

#[test]
fn a_star_in_no_proxy_that_the_client_does_not_read_is_named() {
    let world = World::new();
    let pairs = [
        ("MANIS_BASE_URL", "https://pay.example.com".to_owned()),
        ("HTTPS_PROXY", format!("http://127.0.0.1:{}", peers::proxy("403 No"))),
        ("NO_PROXY", "localhost,*.example.com".to_owned()),
    ];
    fails(with(&world, &pairs), "proxy", 8, "remove the `*` in NO_PROXY");
}

#[test]
fn a_login_says_what_the_provider_said() {
    let world = World::new();
    let manis = world.sandbox.manis();
    let login = |pairs: &[(&str, String)]| {
        let run = with(&world, pairs);
        let done = done(run(&["--login", "--json"]));
        let report = done.json();
        (done, step(&report, "manis", "login").clone())
    };
    let (done, found) = login(&[("MANIS_SECRET", "another".to_owned())]);
    assert_eq!((done.code, &found["kind"]), (4, &"Credentials".into()), "{done}");
    assert!(found["advice"].as_str().unwrap().contains("rotated, revoked, mistyped"), "{done}");
    // A limit that the request without credentials has not met.
    manis.inject_times(Fault::Status(400), 1);
    manis
        .inject(Fault::RetryAfter { status: 429, after: RetryAfter::In(Duration::from_secs(600)) });
    let mut command = with(&world, &[])(&["--login", "--json", "--timeout", "2"]);
    command.env("PROVIDER_AUTH_CACHE_DIR", world.home.join("other"));
    let done = crate::world::done(command);
    assert_eq!(done.code, 6, "{done}");
    manis.clear_faults();
    // As long as any other step, whatever the provider's own limits are.
    manis.inject_times(Fault::Status(400), 1);
    manis.inject(Fault::Stall);
    let stalled = |more: &[&str]| {
        let mut command = with(&world, &[])(&[&["--login"], more].concat());
        command.env("PROVIDER_AUTH_CACHE_DIR", world.home.join("third"));
        command
    };
    fails(stalled, "login", 9, "no answer in");
}

#[test]
fn a_cache_and_a_store_that_do_not_work_are_named() {
    let world = World::new();
    let file = world.home.join("file");
    std::fs::write(&file, "").unwrap();
    let cache = [("PROVIDER_AUTH_CACHE_DIR", file.display().to_string())];
    fails(with(&world, &cache), "cache", 11, "PROVIDER_AUTH_CACHE_DIR");
    // A disk without room: a file may grow to nothing.
    let full = |more: &[&str]| {
        let inner = with(&world, &[])(more);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]);
        command.arg(inner.get_program()).args(inner.get_args()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    };
    fails(full, "cache", 11, "check folder, owner and disk");
    let store = |url: &str| {
        [
            ("AUTH_STORE_REDIS_URL", url.to_owned()),
            ("AUTH_STORE_KEY", "bWFkZS11cC1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3Q=".to_owned()),
        ]
    };
    let closed = store("redis://:CANARY@127.0.0.1:1");
    let report = fails(with(&world, &closed), "store", 11, "refused the connection");
    assert!(!report.to_string().contains("CANARY"));
    let silent = store(&format!("redis://127.0.0.1:{}", peers::silent()));
    fails(with(&world, &silent), "store", 11, "each replica asks the provider");
    if !has("redis-server") {
        return;
    }
    let port = peers::free_port();
    let mut server = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--save", "", "--requirepass", "made-up"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("redis://:made-up@127.0.0.1:{port}");
    let until = Instant::now() + Duration::from_secs(20);
    let good = loop {
        let done = done(with(&world, &store(&url))(&["--json"]));
        if done.code == 0 || Instant::now() > until {
            break done;
        }
    };
    let wrong = store(&format!("redis://:another@127.0.0.1:{port}"));
    let refused = done(with(&world, &wrong)(&["--json"]));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(step(&good.json(), "machine", "store")["state"], "ok", "{good}");
    assert_eq!(refused.code, 11, "{refused}");
    assert!(refused.out.contains("password"), "{refused}");
}

#[test]
fn people_get_lines_that_align_in_both_languages() {
    let world = World::new();
    let shown = |args: &[&str], lang: &str| -> Done {
        let mut command = world.bare(&[&["doctor"], args].concat());
        command.envs(world.sandbox.manis().env()).env("LANG", lang);
        command.env("MANIS_BASE_URL", "http://127.0.0.1:1");
        done(command)
    };
    for (lang, words) in [
        ("C", ["ok", "fail", "do", "skip", "1 failed, 0 to look at: exit 8"]),
        ("fr_FR.UTF-8", ["ok", "échec", "à faire", "omis", "1 en échec, 0 à examiner"]),
    ] {
        let done = shown(&[], lang);
        assert_eq!(done.code, 8, "{done}");
        for word in words {
            assert!(done.out.contains(word), "{word}: {done}");
        }
        // All that was found begins in the same column.
        let column = |line: &str| {
            let (_, rest) = line.split_at(10);
            let word = words.iter().find(|word| rest.starts_with(**word)).unwrap();
            let after = &rest[word.len()..];
            10 + word.chars().count() + after.len() - after.trim_start().len()
        };
        let columns: Vec<_> =
            done.out.lines().take_while(|it| !it.is_empty()).map(column).collect();
        assert!(columns.len() == 12 && columns.iter().all(|it| *it == columns[0]), "{done}");
    }
    // Nothing configured, and everything asked for.
    let nothing = done(world.bare(&["doctor"]));
    assert_eq!(nothing.code, 3, "{nothing}");
    nothing.says("no provider is configured");
    let asked = done(world.bare(&["doctor", "manis", "--json"]));
    assert_eq!(step(&asked.json(), "manis", "env")["state"], "fail", "{asked}");
}

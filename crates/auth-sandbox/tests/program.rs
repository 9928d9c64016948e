//! The program, run as a user runs it.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// A test measures by the machine's own clock how soon the program ends.
#![allow(clippy::disallowed_methods)]

mod common;
mod running;

use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Call, exchange};
use running::{Running, run};

/// Manis's documented request, and its port, from what the program printed.
fn manis(running: &Running) -> (u16, Call) {
    let port = running.exports["MANIS_BASE_URL"].rsplit_once(':').unwrap().1.parse().unwrap();
    let call = Call::post("/api/v1/auth/token")
        .header("x-merchant-id", &running.exports["MANIS_MERCHANT_ID"])
        .header("x-secret", &running.exports["MANIS_SECRET"]);
    (port, call)
}

#[tokio::test]
async fn it_prints_what_to_export_and_serves_and_logs_each_request() {
    let mut running = Running::start(&["--lifetime=9"]);
    assert_eq!(running.exports.len(), 18, "{:?}", running.exports.keys());
    assert_eq!(running.exports["DIGITALPAYE_ENVIRONMENT"], "Production");
    assert_eq!(running.exports["TRESORPAY_SCOPE"], "tresorpay");
    let page = format!("# page         http://127.0.0.1:{}/", running.control);
    assert!(running.printed.contains(&page), "{}", running.printed);
    let (port, call) = manis(&running);
    let reply = exchange(port, &call.clone().body("{}").bytes()).await;
    let claims = common::jwt(&reply.token()).1;
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 9);
    exchange(port, &call.replace("x-secret", "wrong").bytes()).await;
    let granted = running.log_line();
    assert!(granted.contains("200 granted to sandbox-manis (the document asks for"), "{granted}");
    let refused = running.log_line();
    assert!(refused.contains("401 refused for sandbox-manis: the secret is wrong"), "{refused}");
}

#[test]
fn its_credentials_are_the_same_at_each_start_unless_asked_otherwise() {
    let [first, second] = [Running::start(&[]), Running::start(&["--one-port"])];
    let [random, other] = [Running::start(&["--random"]), Running::start(&["--random"])];
    for name in ["MANIS_SECRET", "PAPAYA_API_KEY", "TRESORPAY_CLIENT_SECRET"] {
        assert_eq!(first.exports[name], second.exports[name]);
        assert_ne!(random.exports[name], other.exports[name]);
    }
    assert!(second.exports["MANIS_BASE_URL"].ends_with("/manis"));
    let tries = second.printed.lines().filter(|line| line.starts_with("#   try        curl "));
    assert_eq!(tries.count(), 5, "{}", second.printed);
}

#[tokio::test]
async fn accounts_come_from_a_file_and_from_variables() {
    let file = std::env::temp_dir().join(format!("auth-sandbox-test-{}.toml", std::process::id()));
    let accounts: String = (0..1000)
        .map(|at| format!("[[manis.accounts]]\nid = \"shop-{at}\"\nsecret = \"it's $1 {at}\"\n"))
        .collect();
    let personal = "[digishare]\npersonal_access_token = \"own-token\"\n";
    std::fs::write(&file, accounts + personal).unwrap();
    let mut command = running::program();
    command.env("AUTH_SANDBOX_PAPAYA_ID", "key-1").env("AUTH_SANDBOX_PAPAYA_SECRET", "own-1");
    let running = Running::of(command, &["--config", file.to_str().unwrap(), "--quiet"]);
    std::fs::remove_file(file).unwrap();
    assert!(running.printed.contains("#   accounts   the one below and 999 more"));
    assert!(running.printed.contains(r"export MANIS_SECRET='it'\''s $1 0'"), "{}", running.printed);
    assert_eq!(running.exports["PAPAYA_API_KEY"], "key-1");
    let token = "# export DIGISHARE_PERSONAL_ACCESS_TOKEN=own-token\n";
    assert!(running.printed.contains(token), "{}", running.printed);
    let (port, call) = manis(&running);
    let call = call.replace("x-merchant-id", "shop-999").replace("x-secret", "it's $1 999");
    assert_eq!(exchange(port, &call.bytes()).await.status, 200);
}

#[test]
fn other_machines_reach_it_only_when_that_is_said_and_are_given_a_name_that_works() {
    let refused = run(&["--bind", "0.0.0.0", "--port", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("expose"));

    let mut plain = Running::start(&["--bind", "0.0.0.0", "--expose"]);
    assert!(plain.exports["MANIS_BASE_URL"].starts_with("http://127.0.0.1:"));
    assert!(plain.log_line().contains("can be reached from other machines"));
    assert!(plain.log_line().contains("--advertise HOST"));
    let args = ["--bind", "0.0.0.0", "--expose", "--advertise", "sandbox", "--tls"];
    let named = Running::start(&args);
    assert!(named.exports["MANIS_BASE_URL_INTERNAL"].starts_with("https://sandbox:"));
    assert!(named.printed.contains("export SSL_CERT_FILE="));
}

#[cfg(unix)]
#[test]
fn it_writes_over_no_file_that_somebody_else_put_in_the_temporary_folder() {
    let folder = std::env::temp_dir().join(format!("auth-sandbox-planted-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let victim = folder.join("victim");
    std::fs::write(&victim, "precious").unwrap();
    // The shell turns into the program, which so has the shell's number.
    let script = "ln -s victim \"$TMPDIR/auth-sandbox-$$-0.pem\"; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(running::program().get_program()).env("TMPDIR", &folder);
    let running = Running::of(shell, &["--tls"]);
    let kept = std::fs::read_to_string(victim).unwrap();
    assert_eq!(kept, "precious");
    assert!(running.printed.contains("-1.pem\n"), "{}", running.printed);
    drop(running);
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn it_takes_as_many_connections_as_the_system_allows() {
    let mut shell = Command::new("sh");
    let program = running::program();
    shell.args(["-c", "ulimit -Sn 64; exec \"$0\" \"$@\""]).arg(program.get_program());
    let running = Running::of(shell, &[]);
    let (port, call) = manis(&running);
    let idle: Vec<_> =
        (0..120).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    assert_eq!(exchange(port, &call.bytes()).await.status, 200);
    drop(idle);
}

#[tokio::test]
async fn quiet_is_quiet_and_strict_is_strict() {
    let quiet = Running::start(&["--quiet", "--strict"]);
    let (port, call) = manis(&quiet);
    assert_eq!(exchange(port, &call.body("{}").bytes()).await.status, 400);
    assert_eq!(quiet.rest_of_the_log(), "");
}

#[tokio::test]
async fn without_control_there_is_neither_page_nor_api() {
    let running = Running::start(&["--no-control"]);
    assert!(!running.printed.contains("__sandbox") && !running.printed.contains("# page"));
    let (port, call) = manis(&running);
    assert_eq!(exchange(port, &call.bytes()).await.status, 200);
    assert_eq!(exchange(port, &Call::get("/__sandbox/health").bytes()).await.status, 404);
}

/// More lines than the program keeps for a reader.
const FLOOD: usize = 3000;

/// Sends requests whose lines are long.
fn flood(port: u16) {
    use std::io::Write as _;

    let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "word/".repeat(50));
    for _ in 0..FLOOD {
        socket.write_all(request.as_bytes()).unwrap();
        let read = socket.read(&mut [0; 4096]);
        assert!(read.is_ok_and(|read| read > 0), "the log holds up serving");
    }
}

#[cfg(unix)]
#[test]
fn the_file_of_the_authority_is_the_programs_own_unless_it_was_named() {
    let found = |running: &Running| {
        let line = running.printed.lines().find_map(|line| line.strip_prefix("# authority    "));
        std::path::PathBuf::from(line.unwrap())
    };
    let running = Running::start(&["--tls"]);
    let file = found(&running);
    let first = std::fs::read_to_string(&file).unwrap();
    assert!(
        first.starts_with("-----BEGIN CERTIFICATE-----") && !first.contains("PRIVATE KEY"),
        "{first}"
    );
    running.ends_within(Duration::from_secs(10));
    assert!(!file.exists(), "{} is still there", file.display());

    let named = std::env::temp_dir().join(format!("auth-sandbox-named-{}.pem", std::process::id()));
    std::fs::write(&named, "old ".repeat(1000)).unwrap();
    let running = Running::start(&["--tls", "--authority", named.to_str().unwrap()]);
    assert_eq!(found(&running), named);
    running.ends_within(Duration::from_secs(10));
    let second = std::fs::read_to_string(&named).unwrap();
    std::fs::remove_file(named).unwrap();
    assert!(second.starts_with("-----BEGIN") && !second.contains("old old"), "{second}");
    assert_ne!(first, second, "it is made up at each start");
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_reads_nothing_holds_up_neither_serving_nor_the_end() {
    let mut running = Running::start(&[]);
    let (port, call) = manis(&running);
    flood(port);
    assert_eq!(exchange(port, &call.bytes()).await.status, 200);
    let mut lines = 0;
    while !running.log_line().ends_with(" lines were dropped: nobody read standard error") {
        lines += 1;
        assert!(lines < FLOOD, "it does not say that lines are missing");
    }
    flood(port);
    assert_eq!(exchange(port, &call.bytes()).await.status, 200);
    running.ends_within(Duration::from_secs(1));
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_within_a_second_of_sigterm_though_requests_hang() {
    let mut running = Running::start(&[]);
    let (port, call) = manis(&running);
    let body = r#"{"fault":{"kind":"stall"}}"#;
    let text = format!(
        "POST /__sandbox/faults HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(exchange(running.control, text.as_bytes()).await.status, 200);
    let mut stalled = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    std::io::Write::write_all(&mut stalled, &call.bytes()).unwrap();
    // Before it was read, its end would be a reset.
    let line = running.log_line();
    assert!(line.contains("stall"), "{line}");
    running.ends_within(Duration::from_secs(1));
    assert!(stalled.read(&mut [0]).is_ok_and(|read| read == 0));
}

#[cfg(target_os = "linux")]
#[test]
fn it_reaps_children_that_it_inherits() {
    // The shell's child becomes the program's own as the shell turns into it. The first ends before the
    // program listens for that.
    for child in ["true", "sleep 0.5"] {
        let path = running::program().get_program().to_str().unwrap().to_owned();
        let script = format!("{child} & echo child $!; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, &path]);
        let running = Running::of(shell, &[]);
        let id = running.printed.lines().find_map(|line| line.strip_prefix("child ")).unwrap();
        let entry = format!("/proc/{id}");
        let begun = Instant::now();
        while std::path::Path::new(&entry).exists() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{child}: {entry} is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn health_says_whether_a_sandbox_serves() {
    let running = Running::start(&[]);
    let good = run(&["health", "--control-port", &running.control.to_string()]);
    assert!(good.status.success());
    assert_eq!(good.stdout, b"ok\n");
    drop(running);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let chosen = Running::start(&["--control-port", &port]);
    assert_eq!(chosen.control.to_string(), port);
    drop(chosen);
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    // Another program's port.
    let other = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let _ = socket.read(&mut [0; 1024]);
        std::io::Write::write_all(&mut socket, b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
    });
    let bad = run(&["health", "--control-port", &port]);
    other.join().unwrap();
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("is no sandbox's control port"));
    let bad = run(&["health", "--control-port", &port]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("no sandbox answers"));
}

#[test]
fn help_goes_to_standard_output() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--lifetime <SECONDS>"));
}

#[test]
fn a_wrong_argument_or_a_taken_port_is_one_line_and_exit_code_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], &str); 6] = [
        (&["--advertise", "http://sandbox"], "without scheme"),
        (&["--config", "/nowhere.toml"], "no such file"),
        (&["--port", "x"], "see --help"),
        (&["--colour"], "see --help"),
        (&["--port", "65535"], "choose a first port"),
        (&["--port", &port], "choose another port"),
    ];
    for (args, advice) in cases {
        let output = run(args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(advice), "{args:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
    }
}

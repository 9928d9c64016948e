//! The program, run as a user runs it.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use common::{Call, exchange};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_auth-sandbox"))
}

fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

#[tokio::test]
async fn it_prints_what_to_export_and_serves() {
    let mut child = program()
        .args(["--port", "0", "--lifetime=9"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut exports = HashMap::new();
    let mut origins = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            exports.insert(name.to_owned(), value.to_owned());
        }
        origins += usize::from(line.starts_with("# ") && line.contains(" http://127.0.0.1:"));
        if line.contains("until Ctrl-C") {
            break;
        }
    }
    assert_eq!((exports.len(), origins), (18, 5), "{:?}", exports.keys());
    assert_eq!(exports["DIGITALPAYE_ENVIRONMENT"], "Production");
    assert_eq!(exports["TRESORPAY_SCOPE"], "tresorpay");

    let port = exports["MANIS_BASE_URL"].rsplit_once(':').unwrap().1.parse().unwrap();
    let request = Call::post("/api/v1/auth/token")
        .header("x-merchant-id", &exports["MANIS_MERCHANT_ID"])
        .header("x-secret", &exports["MANIS_SECRET"]);
    let reply = exchange(port, &request.body("{}").bytes()).await;
    let mut remark = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut remark).unwrap();
    assert!(
        remark.starts_with("manis: the document asks for a request without a body"),
        "{remark}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(reply.status, 200);
    let claims = common::jwt(&reply.token()).1;
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 9);
}

#[test]
fn help_goes_to_standard_output() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--lifetime SECONDS"));
}

#[test]
fn a_wrong_argument_or_a_taken_port_is_one_line_and_exit_code_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], &str); 4] = [
        (&["--port", "x"], "give --port 0 to 65531"),
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

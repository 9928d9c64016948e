//! `curl`: the token goes to the provider's hosts, through a pipe.

use std::net::TcpListener;

use crate::world::{World, done, fed, has};

#[test]
fn a_body_from_standard_input_arrives_with_both_headers() {
    let world = World::new();
    if !has("curl") {
        return;
    }
    let listener = Listener::start();
    let mut command = world.command(&["curl", "digitalpaye", "--host", &listener.url, "--"]);
    command.args(["-sS", "-m", "5", "-d", "@-", &listener.url]);
    let done = fed(command, b"made-up body");
    let heard = listener.heard();
    assert!(done.code == 0, "{done}");
    assert!(heard.contains("\r\nAuthorization: Bearer eyJ"), "{heard}");
    assert!(heard.contains("\r\nX-Environment: Production\r\n"), "{heard}");
    assert!(heard.ends_with("made-up body"), "{heard}");
}

#[test]
fn an_api_answers_and_the_exit_code_is_curls() {
    let world = World::new();
    if !has("curl") {
        return;
    }
    let base = world.sandbox.manis().base_url().to_owned();
    let url = format!("{base}/api/v1/payments");
    let good = world.run(&["curl", "manis", "--", "-sSf", &url]);
    assert_eq!((good.code, good.out.as_str()), (0, r#"{"payments":[]}"#), "{good}");
    let gone = format!("{base}/nowhere");
    assert_eq!(world.run(&["curl", "manis", "--", "-sSf", &gone]).code, 22);
}

#[test]
fn another_host_a_loud_option_and_a_redirect_are_refused_and_nothing_leaves() {
    let world = World::new();
    if !has("curl") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let other = format!("http://{}/", listener.local_addr().unwrap());
    let own = world.sandbox.manis().api_url();
    for args in [
        &[other.as_str()][..],
        &["-v", &own],
        &["-sSv", &own],
        &["-L", &own],
        &["--trace-ascii", "-", &own],
        &["-K", "-", &own],
        &["--next", &own],
        &["-x", &other, &own],
        &["--connect-to", "::127.0.0.1:1", &own],
        &["-H", "authorization: x", &own],
        &[&own, &other],
    ] {
        let done = world.run(&[&["curl", "manis", "--"], args].concat());
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}: {done}");
    }
    assert!(listener.accept().is_err(), "nobody connects");
    let manis = world.sandbox.manis().counters();
    assert_eq!((manis.token_requests, manis.api_calls), (0, 0), "and no token is fetched");
}

#[test]
fn a_curlrc_undoes_no_guard() {
    let world = World::new();
    if !has("curl") {
        return;
    }
    std::fs::write(world.home.join(".curlrc"), "verbose\nlocation\nproto = \"=all\"\n").unwrap();
    let url = world.sandbox.manis().api_url();
    let mut command = world.command(&["curl", "manis", "--", "-sS", &url]);
    command.env("CURL_HOME", &world.home);
    let done = done(command);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done}");
}

#[test]
fn a_redirect_is_not_followed() {
    let world = World::new();
    if !has("curl") {
        return;
    }
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let to = format!("http://{}/", target.local_addr().unwrap());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let listener = Listener::answering(answer);
    let url = listener.url.clone();
    let done = world.run(&["curl", "manis", "--host", &url, "--", "-sS", "-m", "5", &url]);
    assert_eq!(done.code, 0, "{done}");
    assert!(listener.heard().contains("Authorization: Bearer"));
    assert!(target.accept().is_err(), "the other port hears nothing");
}

/// Hears one request.
struct Listener {
    url: String,
    thread: std::thread::JoinHandle<String>,
}

impl Listener {
    fn start() -> Self {
        Self::answering("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned())
    }

    fn answering(answer: String) -> Self {
        use std::io::{Read as _, Write as _};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let count = socket.read(&mut buffer).unwrap();
                heard.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&heard);
                let length = text.split("Content-Length: ").nth(1);
                let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                if count == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                    break;
                }
            }
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(heard).unwrap()
        });
        Self { url, thread }
    }

    fn heard(self) -> String {
        self.thread.join().unwrap()
    }
}

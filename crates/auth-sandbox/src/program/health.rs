//! `auth-sandbox health`: one request to the control API, for images that hold no curl.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

/// Asks the sandbox on this control port. The error is one line.
pub(crate) fn ask(port: u16) -> Result<(), String> {
    let answer = exchange(port).map_err(|error| {
        format!("no sandbox answers on 127.0.0.1:{port} ({error}): is --control-port right?")
    })?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""status":"ok""#) {
        Ok(())
    } else {
        Err(format!("127.0.0.1:{port} answers, but is no sandbox's control port"))
    }
}

fn exchange(port: u16) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut socket = TcpStream::connect_timeout(&address, LIMIT)?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.set_write_timeout(Some(LIMIT))?;
    let head = "GET /__sandbox/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    socket.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

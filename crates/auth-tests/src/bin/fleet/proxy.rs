//! A TCP proxy that can become a black hole: it accepts, reads, and passes nothing on.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Proxy {
    port: u16,
    swallows: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let swallows = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&swallows);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // A connection that was swallowed once never comes back.
                let dead = Arc::new(AtomicBool::new(false));
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let (Ok(near2), Ok(far2)) = (near.try_clone(), far.try_clone()) else { continue };
                pump(near, far, &shared, &dead);
                pump(far2, near2, &shared, &dead);
            }
        });
        Ok(Self { port, swallows })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn swallow(&self, swallows: bool) {
        self.swallows.store(swallows, Ordering::SeqCst);
    }
}

fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    swallows: &Arc<AtomicBool>,
    dead: &Arc<AtomicBool>,
) {
    let (swallows, dead) = (Arc::clone(swallows), Arc::clone(dead));
    std::thread::spawn(move || {
        let mut piece = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if swallows.load(Ordering::SeqCst) {
                dead.store(true, Ordering::SeqCst);
            }
            if !dead.load(Ordering::SeqCst) && to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        if !dead.load(Ordering::SeqCst) {
            let _ = to.shutdown(std::net::Shutdown::Both);
        }
    });
}

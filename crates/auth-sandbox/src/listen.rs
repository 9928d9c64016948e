//! Ports: one number on every address that a client may mean.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::Error;

/// How often to look for a number that is free on both loopback addresses.
const TRIES: usize = 32;

/// Binds `port` of `address`, and of `::1` where the address is 127.0.0.1: `localhost` may be either.
/// A machine without IPv6 does without.
pub(crate) fn listen(address: IpAddr, port: u16) -> Result<(Vec<TcpListener>, SocketAddr), Error> {
    let mut last = None;
    for _ in 0..TRIES {
        let (first, bound) = bind(address, port)?;
        if address != IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Ok((vec![first], bound));
        }
        match bind(IpAddr::V6(Ipv6Addr::LOCALHOST), bound.port()) {
            Ok((second, _)) => return Ok((vec![first, second], bound)),
            // Another program's: `localhost` would lead there.
            Err(Error::Listen { source, address }) if source.kind() == ErrorKind::AddrInUse => {
                if port != 0 {
                    return Err(Error::Listen { source, address });
                }
                last = Some((first, bound));
            }
            Err(_) => return Ok((vec![first], bound)),
        }
    }
    match last {
        Some((first, bound)) => Ok((vec![first], bound)),
        None => bind(address, port).map(|(first, bound)| (vec![first], bound)),
    }
}

fn bind(address: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), Error> {
    let wanted = SocketAddr::new(address, port);
    let refused = |source| Error::Listen { address: wanted, source };
    let listener = TcpListener::bind(wanted).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

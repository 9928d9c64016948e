//! Hosts that every URL parser reads the same way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A parsed host.
pub(super) enum Host {
    Address(IpAddr),
    Name { labels: usize },
}

impl Host {
    pub(super) fn parse(host: &str) -> Option<Self> {
        if let Some(inner) = host.strip_prefix('[') {
            let address = inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        // A trailing dot is the DNS root; the name is the same.
        let name = host.strip_suffix('.').unwrap_or(host);
        let labels: Vec<&str> = name.split('.').collect();
        let valid = |label: &&str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // If the last label reads as a number, other parsers see an IPv4 address
        // (`127.1`, `2130706433`, `0x7f.1`).
        let numeric = labels.last().is_some_and(|last| {
            last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x")
        });
        (name.len() <= 253 && labels.iter().all(valid) && !numeric)
            .then_some(Self::Name { labels: labels.len() })
    }
}

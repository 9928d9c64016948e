//! Random bytes, from the kernel where that is cheap to ask.
//!
//! The generator of aws-lc collects 40 ms of timing noise when a process first draws from it. A
//! fleet that starts on few processors would run out of patience with its store meanwhile.

use auth_core::{Error, ErrorKind};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

/// Fills a buffer with random bytes.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    if of_the_kernel(bytes) {
        return Ok(());
    }
    let drawn = SystemRandom::new().fill(bytes);
    drawn.map_err(|_| Error::new(ErrorKind::Internal, "the system gave no random bytes"))
}

#[cfg(all(
    any(feature = "file", feature = "redis-1"),
    any(target_os = "linux", target_os = "android")
))]
fn of_the_kernel(bytes: &mut [u8]) -> bool {
    use rustix::io::Errno;
    use rustix::rand::{GetRandomFlags, getrandom};

    let mut count = 0;
    while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match getrandom(rest, GetRandomFlags::empty()) {
            Ok(0) => return false,
            Ok(more) => count = count.saturating_add(more),
            Err(Errno::INTR) => {}
            Err(_) => return false, // A sandbox may forbid it.
        }
    }
    true
}

#[cfg(not(all(
    any(feature = "file", feature = "redis-1"),
    any(target_os = "linux", target_os = "android")
)))]
fn of_the_kernel(_: &mut [u8]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_any_length_is_filled_anew() {
        for length in [16, 32, 1_000, 70_000] {
            let (mut one, mut two) = (vec![0; length], vec![0; length]);
            fill(&mut one).unwrap();
            fill(&mut two).unwrap();
            assert_ne!(one, two);
            assert!(one[length - 16..].iter().any(|byte| *byte != 0), "{length}");
        }
    }
}

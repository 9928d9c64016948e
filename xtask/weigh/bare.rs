//! The engine alone, for an HTTP client of one's own.

fn main() {
    println!("{}", auth_core::BODY_LIMIT);
}

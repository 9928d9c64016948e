//! Whether a text shows a secret.

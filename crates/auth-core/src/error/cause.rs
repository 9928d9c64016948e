//! The chain of causes of a failure, for messages and logs.

use std::error::Error as StdError;

use crate::secret::printable;

/// The longest cause that is quoted, in characters.
const CAUSE_LIMIT: usize = 120;

/// An error and its causes.
pub(crate) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| StdError::source(*error))
}

/// The text of the last cause in the chain, made printable and cut.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let last = chain(error).last().map(ToString::to_string).unwrap_or_default();
    printable(&last, CAUSE_LIMIT)
}

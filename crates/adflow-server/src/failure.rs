//! Why there is no answer.

/// What stands in the way, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The arguments; exit code 2.
    Usage(String),
    /// What a file or standard input holds; exit code 1.
    Input(String),
}

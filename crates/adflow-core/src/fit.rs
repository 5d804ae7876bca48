//! From history to response curves with their uncertainty.

pub(crate) mod density;

//! What a sampler needs to know of a model.

/// A log density over ℝᵈ, up to a constant, with its exact gradient.
pub(crate) trait Density: Sync {
    /// Scratch space of one thread.
    type Work: Send;

    /// d.
    fn dim(&self) -> usize;

    /// Scratch space for [`evaluate`](Self::evaluate).
    fn work(&self) -> Self::Work;

    /// ln p(at) and its gradient; a value that is not finite where the density cannot be computed.
    fn evaluate(&self, work: &mut Self::Work, at: &[f64], gradient: &mut [f64]) -> f64;
}

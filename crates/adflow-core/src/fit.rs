//! From history to response curves with their uncertainty.

mod baseline;
#[cfg(test)]
mod calibration_tests;
mod carry;
pub(crate) mod density;
mod design;
mod diagnostics;
mod fitted;
mod fitting;
#[cfg(test)]
mod formula;
mod gamma;
mod holdout;
mod importance;
mod laplace;
mod layout;
mod likelihood;
mod mode;
mod model;
mod posterior;
mod prior;
mod sample;
mod saturation;
mod scores;
mod shift;
mod whitening;

pub use carry::AdstockKind;
pub use fitted::{
    ChannelSummary, Component, Decomposition, Diagnostics, FitQuality, FittedModel, Forecast, Interval,
    ParameterSummary, PredictiveCheck, Summary, Warning,
};
pub use holdout::{Baseline, Comparison, Holdout};
pub use model::{LiftTest, Likelihood, Method, PerChannel, Pool, ResponseModel, RoasTest, Trend};
pub use prior::Prior;
pub use saturation::Saturation;

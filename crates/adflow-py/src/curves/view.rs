//! Curves as Python sees them: evaluated on rows of spends, indexed like a sequence, shown in a line.

use adflow_core as core;
use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyString};

use super::{Floats, ResponseCurves};
use crate::arguments::rows_of;
use crate::error::{Result, out_of_domain};

impl ResponseCurves {
    /// One of the core's evaluations, on rows of spends.
    pub(super) fn evaluate<'py>(
        &self,
        py: Python<'py>,
        spend: &Bound<'py, PyAny>,
        of: fn(&core::ResponseCurves, &[f64]) -> core::Result<Vec<f64>>,
    ) -> Result<Floats<'py>> {
        let spend = rows_of("spend", spend, self.0.len())?;
        let values = py.detach(|| of(&self.0, &spend.values))?;
        Ok(values.into_pyarray(py).to_dyn().reshape(spend.shape)?)
    }

    /// Some arms as a set; `run` where they follow one another.
    fn pick(&self, arms: &[usize], run: bool) -> Result<Self> {
        match (arms.first(), run) {
            (None, _) => Err(out_of_domain("arms", "at least one arm", "an empty slice")),
            (Some(&first), true) => Ok(Self(self.0.slice(first..first + arms.len())?)),
            (Some(_), false) => {
                let sets = arms.iter().map(|&arm| self.0.slice(arm..arm + 1));
                Ok(Self(core::ResponseCurves::concat(&sets.collect::<core::Result<Vec<_>>>()?)?))
            }
        }
    }

    /// One arm, by index or name, or the arms of a slice.
    pub(super) fn item(&self, key: &Bound<'_, PyAny>) -> Result<Self> {
        let arms = self.0.len();
        if let Ok(slice) = key.cast::<PySlice>() {
            let indices = slice.indices(isize::try_from(arms).unwrap_or(isize::MAX))?;
            let picked: Vec<usize> = (0..indices.slicelength)
                .map(|at| indices.start + isize::try_from(at).unwrap_or(0) * indices.step)
                .filter_map(|arm| usize::try_from(arm).ok())
                .collect();
            return self.pick(&picked, indices.step == 1);
        }
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_cow()?;
            let at = self.0.names().and_then(|names| names.iter().position(|other| *other == *name));
            let at = at.ok_or_else(|| PyKeyError::new_err(name.into_owned()))?;
            return self.pick(&[at], true);
        }
        let index: isize =
            key.extract().map_err(|_| PyTypeError::new_err("an arm is an index, a name or a slice"))?;
        let at = if index < 0 { index.checked_add_unsigned(arms) } else { Some(index) };
        let at = at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < arms);
        let at = at.ok_or_else(|| PyIndexError::new_err(format!("arm {index} of {arms}")))?;
        self.pick(&[at], true)
    }

    /// The set in one line.
    pub(super) fn shown(&self) -> String {
        const SHOWN: usize = 8;
        let arms = self.0.len();
        let mut text = format!("ResponseCurves({arms} arm{}", if arms == 1 { "" } else { "s" });
        if self.0.draws() > 1 {
            text.push_str(&format!(", {} draws", self.0.draws()));
        }
        if let Some(names) = self.0.names() {
            text.push_str(": ");
            text.push_str(&names[..arms.min(SHOWN)].join(", "));
            if arms > SHOWN {
                text.push_str(", …");
            }
        }
        text + ")"
    }
}

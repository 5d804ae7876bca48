//! Settings as the core reads them: JSON with words in `snake_case`, so that every default is the core's own.

use adflow_core as core;
use napi::ValueType;
use napi::bindgen_prelude::{FromNapiValue, JsObjectValue, JsValue, Object, Unknown};
use serde::Serialize;
use serde_json::{Number, Value};

use crate::Result;
use crate::input::{Options, malformed, read_as};

/// Reads an object of settings and writes it down as the core would.
pub(crate) fn document<T: Options + Serialize>(what: &str, given: Unknown<'_>) -> Result<Value> {
    let settings: T = read_as(what, given)?;
    finite(given, what)?;
    let unwritten =
        |error: serde_json::Error| core::Error::Malformed { path: what.into(), reason: error.to_string() };
    let mut value = serde_json::to_value(settings).map_err(unwritten)?;
    tidy(&mut value);
    Ok(value)
}

/// JSON has no NaN and no infinity: they would read like a setting that is left out.
fn finite(given: Unknown<'_>, path: &str) -> Result<()> {
    match given.get_type().map_err(malformed)? {
        ValueType::Number => {
            let value = f64::from_unknown(given).map_err(malformed)?;
            if value.is_finite() {
                return Ok(());
            }
            Err(core::Error::NotFinite { field: path.into(), value }.into())
        }
        ValueType::Object => {
            let object = Object::from_unknown(given).map_err(malformed)?;
            let list = given.is_array().map_err(malformed)? || given.is_typedarray().map_err(malformed)?;
            for key in Object::keys(&object).map_err(malformed)? {
                let value: Unknown<'_> = object.get_named_property_unchecked(&key).map_err(malformed)?;
                finite(value, &if list { format!("{path}[{key}]") } else { format!("{path}.{key}") })?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Leaves out what was not given, and makes whole numbers whole: JavaScript has one kind.
fn tidy(value: &mut Value) {
    /// Up to here every whole number is its own.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Number(number) => {
            if let Some(given) = number.as_f64().filter(|given| given.fract() == 0.0 && given.abs() < WHOLE) {
                #[allow(clippy::cast_possible_truncation, reason = "whole, and within the range")]
                let whole = given as i64;
                *number = Number::from(whole);
            }
        }
        _ => {}
    }
}

//! What callers may write where numbers or options are wanted.

use adflow_core::{self as core, Parameter, PerArm};
use napi::bindgen_prelude::{
    Either, Either3, Either6, Float64Array, FromNapiValue, Function, JsObjectValue, Object, Uint32Array,
    Unknown,
};
use napi::{Env, JsValue, ValueType};
use napi_derive::napi;

use crate::Result;

/// A parameter of curves: one number for all arms, one per arm, draws × arms, or draws × terms × arms.
#[napi]
pub type Parameters =
    Either6<f64, Float64Array, Vec<f64>, Vec<Float64Array>, Vec<Vec<f64>>, Vec<Vec<Vec<f64>>>>;

/// One number for all arms, or one per arm.
#[napi]
pub type NumberPerArm = Either3<f64, Float64Array, Vec<f64>>;

/// A list of numbers.
#[napi]
pub type Numbers = Either<Float64Array, Vec<f64>>;

/// A list of positions, counted from 0.
#[napi]
pub type Positions = Either<Uint32Array, Vec<f64>>;

pub(crate) fn numbers(numbers: &Numbers) -> &[f64] {
    match numbers {
        Either::A(array) => array,
        Either::B(list) => list,
    }
}

pub(crate) fn positions(name: &str, positions: &Positions) -> Result<Vec<usize>> {
    match positions {
        Either::A(array) => Ok(array.iter().map(|&position| position as usize).collect()),
        Either::B(list) => {
            let position = |(at, &position): (usize, &f64)| index(&format!("{name}[{at}]"), position);
            list.iter().enumerate().map(position).collect()
        }
    }
}

/// One row of a matrix that stands row by row.
pub(crate) fn row(values: &[f64], width: usize, given: f64) -> Result<Float64Array> {
    let at = index("row", given)?;
    if let Some(row) = values.chunks_exact(width).nth(at) {
        return Ok(row.to_vec().into());
    }
    let expected = format!("below {}, the number of rows", values.len() / width);
    Err(core::Error::OutOfDomain { field: "row".into(), expected, value: given.to_string() }.into())
}

/// A position or a count. JavaScript knows no whole numbers: 1.5 would be cut to 1 and −1 wrap around, so both are refused.
#[allow(clippy::cast_possible_truncation, reason = "whole, and within the range")]
pub(crate) fn index(name: &str, given: f64) -> Result<usize> {
    if given.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&given) {
        return Ok(given as usize);
    }
    let expected = "a whole number, 0 or more".into();
    Err(core::Error::OutOfDomain { field: name.into(), expected, value: given.to_string() }.into())
}

pub(crate) fn per_arm(given: NumberPerArm) -> PerArm {
    match given {
        Either3::A(number) => number.into(),
        Either3::B(array) => array.to_vec().into(),
        Either3::C(list) => list.into(),
    }
}

pub(crate) fn parameter(name: &str, given: Parameters) -> Result<Parameter> {
    let draws = |rows: &[&[f64]]| {
        let arms = rows.first().map_or(0, |row| row.len());
        same_length(name, arms, rows.iter().map(|row| row.len()))?;
        Parameter::draws(rows.len(), arms, rows.concat()).map_err(|error| named(error, name))
    };
    Ok(match given {
        Either6::A(number) => number.into(),
        Either6::B(array) => array.to_vec().into(),
        Either6::C(list) => list.into(),
        Either6::D(rows) => draws(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>())?,
        Either6::E(rows) => draws(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>())?,
        Either6::F(blocks) => {
            let terms = blocks.first().map_or(0, Vec::len);
            let arms = blocks.first().and_then(|block| block.first()).map_or(0, Vec::len);
            same_length(name, terms, blocks.iter().map(Vec::len))?;
            same_length(name, arms, blocks.iter().flatten().map(Vec::len))?;
            let values = blocks.iter().flatten().flatten().copied().collect::<Vec<_>>();
            Parameter::terms(blocks.len(), terms, arms, values).map_err(|error| named(error, name))?
        }
    })
}

pub(crate) fn optional(name: &str, given: Option<Parameters>) -> Result<Option<Parameter>> {
    given.map(|given| parameter(name, given)).transpose()
}

fn same_length(name: &str, expected: usize, lengths: impl Iterator<Item = usize>) -> core::Result<()> {
    match { lengths }.find(|&actual| actual != expected) {
        Some(actual) => Err(core::Error::LengthMismatch { field: name.into(), expected, actual }),
        None => Ok(()),
    }
}

/// The core knows a parameter on its own only as "parameter".
fn named(error: core::Error, name: &str) -> core::Error {
    match error {
        core::Error::Empty { .. } => core::Error::Empty { field: name.into() },
        other => other,
    }
}

/// An object of options; the words that it may hold.
pub(crate) trait Options: FromNapiValue {
    const KEYS: &'static [&'static str];
    /// The options in it that are objects of their own, or lists of objects.
    const NESTED: &'static [(&'static str, Nested)] = &[];
}

/// The words of an object inside of another.
pub(crate) struct Nested {
    keys: &'static [&'static str],
    nested: &'static [(&'static str, Nested)],
    /// Whether it is a record of such objects, whose own words are the caller's.
    record: bool,
}

impl Nested {
    pub(crate) const fn of<T: Options>() -> Self {
        Self { keys: T::KEYS, nested: T::NESTED, record: false }
    }

    /// Objects under names that the caller gives.
    pub(crate) const fn each_of<T: Options>() -> Self {
        Self { keys: T::KEYS, nested: T::NESTED, record: true }
    }

    /// Refuses a word that is not known, in the object at `path` or in one inside of it.
    fn check(&self, object: &Object<'_>, path: &str) -> Result<()> {
        let at = |key: &str| if path.is_empty() { key.into() } else { format!("{path}.{key}") };
        let keys = Object::keys(object).map_err(malformed)?;
        if let Some(key) = keys.iter().find(|key| !self.keys.contains(&key.as_str())) {
            let reason = format!("is not known; known are {}", self.keys.join(", "));
            return Err(core::Error::Malformed { path: at(key), reason }.into());
        }
        for (key, nested) in self.nested.iter().filter(|(key, _)| keys.iter().any(|given| given == key)) {
            let value: Unknown<'_> = object.get_named_property_unchecked(key).map_err(malformed)?;
            if !value.is_array().map_err(malformed)? {
                nested.check_value(value, &|| at(key))?;
                continue;
            }
            let list = Object::from_unknown(value).map_err(malformed)?;
            for position in 0..list.get_array_length().map_err(malformed)? {
                let item: Unknown<'_> = list.get_element(position).map_err(malformed)?;
                nested.check_value(item, &|| format!("{}[{position}]", at(key)))?;
            }
        }
        Ok(())
    }

    /// Checks an object; what is none (numbers, arrays of numbers) has no words.
    fn check_value(&self, value: Unknown<'_>, path: &dyn Fn() -> String) -> Result<()> {
        let none = value.get_type().map_err(malformed)? != ValueType::Object
            || value.is_array().map_err(malformed)?
            || value.is_typedarray().map_err(malformed)?;
        if none {
            return Ok(());
        }
        let object = Object::from_unknown(value).map_err(malformed)?;
        if !self.record {
            return self.check(&object, &path());
        }
        let (each, path) = (Self { record: false, ..*self }, path());
        for name in Object::keys(&object).map_err(malformed)? {
            let value: Unknown<'_> = object.get_named_property_unchecked(&name).map_err(malformed)?;
            each.check_value(value, &|| format!("{path}[{name}]"))?;
        }
        Ok(())
    }
}

/// Reads an object of options. A word that is not known is an error: misspelt, it would silently do nothing.
pub(crate) fn read<T: Options>(given: Unknown<'_>) -> Result<T> {
    read_as("options", given)
}

/// The same of an object that has another name.
pub(crate) fn read_as<T: Options>(what: &str, given: Unknown<'_>) -> Result<T> {
    let not_an_object = || core::Error::Malformed { path: what.into(), reason: "must be an object".into() };
    if given.get_type().map_err(|_| not_an_object())? != ValueType::Object {
        return Err(not_an_object().into());
    }
    let object = Object::from_unknown(given).map_err(|_| not_an_object())?;
    Nested::of::<T>().check(&object, "")?;
    let wrong =
        |error: napi::Error| core::Error::Malformed { path: what.into(), reason: error.reason.clone() };
    Ok(T::from_unknown(object.to_unknown()).map_err(wrong)?)
}

/// A value of the wrong type.
pub(crate) fn malformed(error: napi::Error) -> core::Error {
    core::Error::Malformed { path: "options".into(), reason: error.reason.clone() }
}

/// `JSON.parse`.
pub(crate) fn parse(env: &Env, text: String) -> napi::Result<Object<'_>> {
    json(env)?.get_named_property::<Function<'_, String, Object<'_>>>("parse")?.call(text)
}

/// `JSON.stringify`.
pub(crate) fn stringify(env: &Env, document: Object<'_>) -> napi::Result<String> {
    json(env)?.get_named_property::<Function<'_, Object<'_>, String>>("stringify")?.call(document)
}

fn json(env: &Env) -> napi::Result<Object<'_>> {
    env.get_global()?.get_named_property("JSON")
}

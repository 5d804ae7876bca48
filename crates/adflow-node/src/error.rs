//! The one place where Rust errors become JavaScript errors.

use std::cell::RefCell;

use adflow_core as core;
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Unknown};
use napi::{Env, JsError, Status};
use napi_derive::napi;

use crate::plan::Limit;

/// An error on its way to JavaScript, where it is an `AdflowError`.
pub struct Error(core::Error);

pub(crate) type Result<T> = std::result::Result<T, Error>;

type Arguments = FnArgs<(String, String, ErrorDetails)>;

thread_local! {
    /// The class that `adflow.js` defines (napi cannot extend `Error`), per thread as workers have their own.
    static CLASS: RefCell<Option<(Env, FunctionRef<Arguments, Unknown<'static>>)>> = const { RefCell::new(None) };
}

/// Tells the addon which class its errors have.
#[napi]
pub fn set_error_class(
    env: Env,
    #[napi(ts_arg_type = "new (message: string, code: string, details: ErrorDetails) => Error")]
    error_class: Function<'_, Arguments, Unknown<'static>>,
) -> napi::Result<()> {
    CLASS.set(Some((env, error_class.create_ref()?)));
    Ok(())
}

/// What an error is about, in fields that a program can read. Which are there depends on the code.
#[napi(object)]
#[derive(Default)]
pub struct ErrorDetails {
    /// `not_finite`, `out_of_domain`, `empty`, `length_mismatch`, `unknown_name`: the field, with its index.
    pub field: Option<String>,
    /// `out_of_domain`: the accepted domain, in words.
    pub domain: Option<String>,
    /// `not_finite`, `out_of_domain`: the value got, as text.
    pub value: Option<String>,
    /// `length_mismatch`: the length wanted.
    pub expected: Option<f64>,
    /// `length_mismatch`: the length got.
    pub actual: Option<f64>,
    /// `lower_above_upper`: the arm, by name or as `arm 3`, or the group.
    pub arm: Option<String>,
    /// `lower_above_upper`: the lower bound (money).
    pub lower: Option<f64>,
    /// `lower_above_upper`: the upper bound (money).
    pub upper: Option<f64>,
    /// `duplicate_name`, `unknown_name`, `cyclic_group`: the name.
    pub name: Option<String>,
    /// `duplicate_name`: the index of its first use.
    pub first: Option<f64>,
    /// `duplicate_name`: the index of its second use.
    pub second: Option<f64>,
    /// `malformed`: where, as a path into the document.
    pub path: Option<String>,
    /// `malformed`: what is wrong there; `unfittable`: what went wrong.
    pub reason: Option<String>,
    /// `infeasible`: the budget asked for (money); `Infinity` where there was none.
    pub budget: Option<f64>,
    /// `infeasible`: a set of limits that cannot hold together; drop any one of them and the rest can.
    pub conflict: Option<Vec<Limit>>,
    /// `infeasible`: smallest and largest total spend that all limits but the budget allow (money); not there where they
    /// allow none.
    #[napi(ts_type = "[low: number, high: number]")]
    pub feasible_budget: Option<Vec<f64>>,
    /// `infeasible`: the feasible totals next to the budget asked for, below and above; null where there is none.
    #[napi(ts_type = "[below: number | null, above: number | null]")]
    pub nearest: Option<Vec<Option<f64>>>,
    /// `infeasible`, where the target is part of the conflict: the best level of it that the other limits allow; not there
    /// where nothing can be reached at all.
    pub feasible_target: Option<f64>,
}

#[allow(clippy::cast_precision_loss, reason = "lengths and indices are far below 2^53")]
fn number(count: usize) -> f64 {
    count as f64
}

impl From<&core::Error> for ErrorDetails {
    fn from(error: &core::Error) -> Self {
        let none = Self::default();
        match error.clone() {
            core::Error::NotFinite { field, value } => {
                Self { field: Some(field), value: Some(value.to_string()), ..none }
            }
            core::Error::OutOfDomain { field, expected, value } => {
                Self { field: Some(field), domain: Some(expected), value: Some(value), ..none }
            }
            core::Error::LowerAboveUpper { arm, lower, upper } => {
                Self { arm: Some(arm), lower: Some(lower), upper: Some(upper), ..none }
            }
            core::Error::Empty { field } => Self { field: Some(field), ..none },
            core::Error::LengthMismatch { field, expected, actual } => Self {
                field: Some(field),
                expected: Some(number(expected)),
                actual: Some(number(actual)),
                ..none
            },
            core::Error::DuplicateName { name, first, second } => {
                Self { name: Some(name), first: Some(number(first)), second: Some(number(second)), ..none }
            }
            core::Error::UnknownName { field, name } => Self { field: Some(field), name: Some(name), ..none },
            core::Error::CyclicGroup { name } => Self { name: Some(name), ..none },
            core::Error::Malformed { path, reason } => {
                Self { path: Some(path), reason: Some(reason), ..none }
            }
            core::Error::Infeasible(details) => Self {
                budget: Some(details.budget),
                conflict: Some(details.conflict.into_iter().map(Limit::from).collect()),
                feasible_budget: details.feasible_budget.map(|(least, most)| vec![least, most]),
                nearest: Some(vec![details.nearest.0, details.nearest.1]),
                feasible_target: details.feasible_target,
                ..none
            },
            core::Error::Unfittable { reason } => Self { reason: Some(reason), ..none },
            // A kind of error that is newer than this file still has its code and its message.
            _ => none,
        }
    }
}

impl Error {
    /// An error on the options of a problem, which the core knows in its own spelling: `active_lower[3]` is
    /// `activeLower[3]` here.
    pub(crate) fn of_options(error: core::Error) -> Self {
        Self(match error {
            core::Error::NotFinite { field, value } => core::Error::NotFinite { field: camel(&field), value },
            core::Error::OutOfDomain { field, expected, value } => {
                core::Error::OutOfDomain { field: camel(&field), expected, value }
            }
            core::Error::Empty { field } => core::Error::Empty { field: camel(&field) },
            core::Error::LengthMismatch { field, expected, actual } => {
                core::Error::LengthMismatch { field: camel(&field), expected, actual }
            }
            core::Error::UnknownName { field, name } => {
                core::Error::UnknownName { field: camel(&field), name }
            }
            core::Error::Malformed { path, reason } => core::Error::Malformed { path: camel(&path), reason },
            other => other,
        })
    }
}

/// What stands in brackets or quotes is a name of the caller's, and stays.
fn camel(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let (mut upper, mut depth, mut quoted) = (false, 0_usize, false);
    for letter in field.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '"' => quoted = !quoted,
            _ => {}
        }
        let joint = letter == '_' && depth == 0 && !quoted;
        if !joint {
            name.push(if upper { letter.to_ascii_uppercase() } else { letter });
        }
        upper = joint;
    }
    name
}

impl From<core::Error> for Error {
    fn from(error: core::Error) -> Self {
        Self(error)
    }
}

impl From<Error> for napi::Error {
    fn from(Error(error): Error) -> Self {
        let instance = CLASS.with_borrow(|class| {
            let (env, class) = class.as_ref()?;
            let arguments = (error.to_string(), error.code().to_string(), ErrorDetails::from(&error));
            class.borrow_back(env).ok()?.new_instance(arguments.into()).ok().map(Self::from)
        });
        instance.unwrap_or_else(|| Self::from_reason(error.to_string()))
    }
}

impl From<Error> for JsError<Status> {
    fn from(error: Error) -> Self {
        Self::from(napi::Error::from(error))
    }
}

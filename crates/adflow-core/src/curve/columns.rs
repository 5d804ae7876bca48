//! Curves from the columns of a table: one row per arm, one family name per row.

use super::kind::Kind;
use super::parameter::Parameter;
use super::{Families, Family, ResponseCurves, Set};
use crate::error::{Error, Result};

/// Columns that hold no parameter of a family.
const TRANSFORMS: [&str; 4] = ["offset", "cost_per_unit", "value_per_response", "price_power"];

impl ResponseCurves {
    /// The curves of a table: `family[i]` is the family of row i (`"hill"`, `"michaelis_menten"`, … as in JSON, but not
    /// `"tabulated"`), `columns` are its parameter columns by name (`beta`, `half_saturation`, `slope`, `scale`, `exponent`, `lam`,
    /// `b`, `c`, `sigma`, `offset`, `cost_per_unit`, `value_per_response`, `price_power`); NaN is an empty cell.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a family or a column that is not known, a parameter that a row's family needs and lacks or
    /// has and does not take; the errors of the constructors, with the row in the field (`slope[3]`).
    pub fn from_columns(family: &[&str], columns: &[(&str, &[f64])]) -> Result<Self> {
        let rows = family.len();
        if rows == 0 {
            return Err(Error::Empty { field: "curve".into() });
        }
        for (name, values) in columns {
            let known = TRANSFORMS.contains(name)
                || Kind::ALL
                    .iter()
                    .any(|kind| kind.parameters().iter().any(|(parameter, _)| parameter == name));
            if !known {
                return Err(Error::out_of_domain("columns", "names of parameters", name));
            }
            if values.len() != rows {
                let field = (*name).to_string();
                return Err(Error::LengthMismatch { field, expected: rows, actual: values.len() });
            }
        }
        let given = |name: &str, row: usize| {
            columns.iter().find(|(column, _)| *column == name).map_or(f64::NAN, |(_, values)| values[row])
        };
        let mut kinds = Vec::with_capacity(rows);
        let mut parameters = [const { Vec::new() }; 3];
        for (row, &name) in family.iter().enumerate() {
            let Some(kind) = Kind::named(name) else {
                let names = Kind::ALL.map(Kind::name).join(", ");
                return Err(Error::out_of_domain(format!("curve[{row}]"), format!("one of {names}"), name));
            };
            kinds.push(Family::Shape(kind));
            for (slot, column) in parameters.iter_mut().enumerate() {
                column.push(match kind.parameters().get(slot) {
                    None => 0.0,
                    Some(&(parameter, domain)) => {
                        let value = given(parameter, row);
                        if !domain.contains(value) {
                            let field = format!("{parameter}[{row}]");
                            let value = if value.is_nan() { "nothing".into() } else { value.to_string() };
                            return Err(Error::out_of_domain(field, domain.words(), value));
                        }
                        value
                    }
                });
            }
            let taken = |column: &str| {
                TRANSFORMS.contains(&column)
                    || kind.parameters().iter().any(|(parameter, _)| *parameter == column)
            };
            if let Some((column, values)) =
                columns.iter().find(|(c, values)| !taken(c) && !values[row].is_nan())
            {
                let field = format!("{column}[{row}]");
                return Err(Error::out_of_domain(field, format!("empty for a {name} curve"), values[row]));
            }
        }
        let families = match kinds[0] {
            Family::Shape(first) if kinds.iter().all(|kind| *kind == kinds[0]) => Families::All(first),
            _ => Families::Each(kinds),
        };
        let parameters = parameters.map(super::column::Column::Each);
        let mut curves = Self::from_set(Set { parameters, ..Set::plain(rows, families) });
        let column = |name: &str, empty: f64| {
            let filled = |row| Some(given(name, row)).filter(|value| !value.is_nan()).unwrap_or(empty);
            let any = columns.iter().any(|(column, _)| *column == name);
            any.then(|| Parameter::from((0..rows).map(filled).collect::<Vec<f64>>()))
        };
        if let Some(cost) = column("cost_per_unit", 1.0) {
            curves = curves.with_cost_per_unit(cost)?;
        }
        if let Some(offset) = column("offset", 0.0) {
            curves = curves.with_offset(offset, false)?;
        }
        if let Some(value) = column("value_per_response", 1.0) {
            curves = curves.with_value_per_response(value)?;
        }
        if let Some(power) = column("price_power", 0.0) {
            curves = curves.with_price_power(power)?;
        }
        Ok(curves)
    }
}

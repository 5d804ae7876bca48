//! The cells of a CSV, before they mean anything, and what is wrong with one of them.

use std::fmt;

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub(crate) file: String,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<String>,
    pub(crate) reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Error {}

/// A header and rows of texts without blanks around them.
pub(crate) struct Cells {
    pub(crate) file: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Line of the file for each row.
    pub(crate) lines: Vec<u64>,
}

impl Cells {
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let unreadable = |error: csv::Error| {
            let line = error.position().map(csv::Position::line);
            let reason = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("must have {expected_len} cells like the header, got {len}")
                }
                _ => error.to_string(),
            };
            Error { file: file.into(), line, column: None, reason }
        };
        let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(String::from).collect();
        let mut cells = Self { file: file.into(), header, rows: Vec::new(), lines: Vec::new() };
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            // A spreadsheet may leave rows of commas at the end.
            if record.iter().all(str::is_empty) {
                continue;
            }
            cells.lines.push(record.position().map_or(0, csv::Position::line));
            cells.rows.push(record.iter().map(String::from).collect());
        }
        Ok(cells)
    }

    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }

    pub(crate) fn optional_texts(&self, column: &str) -> Vec<String> {
        let at = self.position(column);
        self.rows.iter().map(|row| at.map_or_else(String::new, |at| row[at].clone())).collect()
    }

    pub(crate) fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        let texts = self.optional_texts(column);
        match texts.iter().position(String::is_empty) {
            Some(row) => Err(self.at(row, column, "must be given, got an empty cell")),
            None => Ok(texts),
        }
    }

    /// A column of numbers; NaN where a cell is empty.
    pub(crate) fn numbers(&self, at: usize) -> Result<Vec<f64>, Error> {
        let number = |(row, cells): (usize, &Vec<String>)| match cells[at].as_str() {
            "" => Ok(f64::NAN),
            cell => cell.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| {
                self.at(row, &self.header[at], format!("must be a number like 1250.5, got `{cell}`"))
            }),
        };
        self.rows.iter().enumerate().map(number).collect()
    }

    /// What is wrong with the cell of a row.
    pub(crate) fn at(&self, row: usize, column: &str, reason: impl Into<String>) -> Error {
        self.error(self.lines.get(row).copied(), Some(column), reason)
    }

    pub(crate) fn error(&self, line: Option<u64>, column: Option<&str>, reason: impl Into<String>) -> Error {
        Error { file: self.file.clone(), line, column: column.map(String::from), reason: reason.into() }
    }
}

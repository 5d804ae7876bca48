//! The binary `adflow`: without arguments a tour, otherwise one command.
#![forbid(unsafe_code)]

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use adflow_server::failure::Failure;
use clap::Parser;

use cli::Cli;

fn main() -> ExitCode {
    let written = match cli::run(Cli::parse()) {
        Ok(text) => writeln!(io::stdout().lock(), "{}", text.trim_end()),
        Err(Failure::Usage(message)) => return fail(2, &message),
        Err(Failure::Input(message)) => return fail(1, &message),
    };
    match written {
        // Whoever reads may have read enough (`adflow | head`).
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(1, &format!("stdout: {error}")),
        _ => ExitCode::SUCCESS,
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    // Where even stderr is closed the exit code is all that is left.
    let _ = writeln!(io::stderr().lock(), "adflow: {message}");
    ExitCode::from(code)
}

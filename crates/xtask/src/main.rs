//! `cargo xtask`: every command a contributor needs, with only Rust, Python and Node to install first.

mod benches;
mod command;
mod fuzz;
mod golden;
mod lock;
mod node;
mod python;
mod rust;
mod skips;
mod stage;
mod test;
mod tools;
mod verify;
mod version;
mod wheel;
mod workspace;

use std::env;
use std::process::ExitCode;

use command::Result;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result {
    let workspace = Workspace::locate()?;
    match arguments.split_first() {
        Some((task, stages)) if task == "test" => test::test(&workspace, stages),
        Some((task, [])) if task == "verify" => verify::verify(&workspace),
        Some((task, [])) if task == "fuzz" => fuzz::fuzz(&workspace, fuzz::DEFAULT_SECONDS),
        Some((task, [seconds])) if task == "fuzz" => fuzz::fuzz(&workspace, fuzz::seconds(seconds)?),
        Some((task, _)) if ["help", "--help", "-h"].contains(&task.as_str()) => {
            eprintln!("{}", usage());
            Ok(())
        }
        _ => Err(usage()),
    }
}

fn usage() -> String {
    format!(
        "usage:
  cargo xtask test [stage...]   everything, or only the stages named:
{}
  cargo xtask verify            what takes too long for every change: ignored tests, all peers, all benches
  cargo xtask fuzz [seconds]    random problems until one breaks the engine [{}]",
        stage::table(test::STAGES),
        fuzz::DEFAULT_SECONDS,
    )
}

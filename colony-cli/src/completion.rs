//! `colony completion`, and the manual pages for packages.

use std::path::Path;

use clap::{CommandFactory as _, builder::PossibleValuesParser};
use clap_complete::Shell;
use colony_core::registry;

use crate::{args::Cli, failure::Failure, output::Output};

/// Returns the command line with the names of all operations. The parser itself has none, since it suggests similar
/// ones.
fn command() -> clap::Command {
    let names: Vec<&str> = registry::operations().map(|(_, operation)| operation.name).collect();
    let names = PossibleValuesParser::new(names);
    Cli::command().mut_subcommand("call", |call| {
        call.mut_arg("method", |method| method.value_parser(names).hide_possible_values(true))
    })
}

pub(crate) fn run(shell: Shell, output: &Output) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "colony", &mut script);
    let mut script = String::from_utf8_lossy(&script).trim_end().to_owned();
    if shell == Shell::Fish {
        // The generator leaves out positional arguments.
        let names: Vec<&str> = registry::operations().map(|(_, operation)| operation.name).collect();
        let names = names.join(" ");
        script +=
            &format!("\ncomplete -c colony -n \"__fish_colony_using_subcommand call\" -f -a \"{names}\"");
    }
    output.line(&script);
}

/// Writes a manual page for each command into a directory.
pub(crate) fn manual(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    Ok(clap_mangen::generate_to(Cli::command(), directory)?)
}

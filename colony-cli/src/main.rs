//! The `colony` command. The code is in the library beside this file, so that tests can use the sandbox.

fn main() -> std::process::ExitCode {
    colony_cli::main()
}

//! Tries to break the token cache and watching, at full length, and prints the results: see `colony_tests::fire`.
//!
//! Exits with 1 if anything was lost or a fault missed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

type Failed = Box<dyn std::error::Error>;

#[cfg(not(unix))]
fn main() -> Result<(), Failed> {
    Err("this program breaks Unix systems only".into())
}

#[cfg(unix)]
fn main() -> Result<std::process::ExitCode, Failed> {
    use std::process::ExitCode;

    // Under the name `colony` it is the command line, so that the sandbox and the commands of a row are from one
    // build.
    if std::env::args_os().next().is_some_and(|name| name == "colony") {
        return Ok(colony_cli::main());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // It also runs as the processes of its crews.
    match arguments.first().map(String::as_str) {
        Some(plan) if plan.starts_with('{') => {
            colony_tests::worker::run(plan)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some("part") => {
            colony_tests::fire::play(&arguments[1..])?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    if std::env::var_os("UNDER_FIRE_LOG").is_some() {
        // The events of this process; not those of the others.
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::stderr).init();
    }
    long::run(&arguments)
}

#[cfg(unix)]
mod long {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        path::PathBuf,
        process::{Command, ExitCode},
        time::Instant,
    };

    use colony_tests::fire::{Ground, ROWS, Row, Scale, Tally};

    const USAGE: &str = "\
Tries to break the token cache and watching, and prints what was tried, what survived and what was lost.

  under_fire [--short] [--row ID]... [--not ID]... [--python PROGRAM] [--list]

  --short           what the tests run, and not the full length
  --row ID          this row; may be given several times (without: all)
  --not ID          not this row
  --python PROGRAM  an interpreter with the package colony-sdk 1.38.0
                    [default: target/interop/bin/python, which .ci/interop.sh makes]
  --list            the rows";

    pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, super::Failed> {
        let mut scale = Scale::Long;
        let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
        let mut python = Some(PathBuf::from("target/interop/bin/python"));
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().cloned().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--short" => scale = Scale::Short,
                "--row" => wanted.push(value()?),
                "--not" => left_out.push(value()?),
                "--python" => python = Some(value()?.into()),
                "--list" => {
                    ROWS.iter().for_each(|row| println!("{:<5} {}", row.id, row.promise));
                    return Ok(ExitCode::SUCCESS);
                }
                _ => {
                    eprintln!("{USAGE}");
                    return Ok(ExitCode::from(2));
                }
            }
        }
        if let Some(unknown) =
            wanted.iter().chain(&left_out).find(|id| !ROWS.iter().any(|row| row.id == **id))
        {
            return Err(format!("there is no row {unknown}; --list names them").into());
        }
        // Links are kept: the path of the interpreter identifies a virtual environment.
        let python = python.filter(|python| python.exists()).map(std::path::absolute).transpose()?;
        let ground = Ground { program: std::env::current_exe()?, scale, python };
        let rows = ROWS.iter().filter(|row| wanted.is_empty() || wanted.iter().any(|id| id == row.id));
        let rows: Vec<&Row> = rows.filter(|row| !left_out.iter().any(|id| id == row.id)).collect();

        println!("{}\n", machine());
        println!("| Row | Promise | Tried | Survived | Lost | Faults that landed, and figures | Took |");
        println!("| --- | --- | ---: | ---: | ---: | --- | ---: |");
        let (started, mut failed, mut untried) = (Instant::now(), 0, Vec::new());
        for row in &rows {
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| (row.run)(&ground)));
            let took = began.elapsed().as_secs_f64();
            let tally = match outcome {
                Ok(Ok(tally)) => tally,
                Ok(Err(error)) => {
                    failed += 1;
                    println!(
                        "| {} | {} | - | - | - | the harness failed: {error} | {took:.1} s |",
                        row.id, row.promise
                    );
                    continue;
                }
                Err(_) => {
                    failed += 1;
                    println!(
                        "| {} | {} | - | - | - | the harness panicked | {took:.1} s |",
                        row.id, row.promise
                    );
                    continue;
                }
            };
            let [tried, survived, lost, faults] = tally.cells();
            println!(
                "| {} | {} | {tried} | {survived} | {lost} | {faults} | {took:.1} s |",
                row.id, row.promise
            );
            eprint!("{}", tally.problems());
            untried.extend(tally.untried().iter().map(|what| format!("{}: {what}", row.id)));
            failed += usize::from(!Tally::passed(&tally));
        }
        untried.iter().for_each(|what| println!("\nNOT TRIED: {what}"));
        println!(
            "\n{} of {} rows hold; {:.0} s",
            rows.len() - failed,
            rows.len(),
            started.elapsed().as_secs_f64()
        );
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Returns a line about the machine.
    fn machine() -> String {
        let told = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.map_or_else(
                |_| "?".to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )
        };
        let folder = std::env::temp_dir();
        format!(
            "{} {}, {} cores, {} below {}, {}",
            told("uname", &["-s"]),
            told("uname", &["-r"]),
            std::thread::available_parallelism().map_or(0, usize::from),
            told("findmnt", &["-n", "-o", "FSTYPE", "-T", &folder.to_string_lossy()]),
            folder.display(),
            told("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        )
    }
}

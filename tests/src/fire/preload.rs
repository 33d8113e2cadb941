//! A small C library that is preloaded into processes, for calls that safe Rust cannot make: `preload.c`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Compiles the library into this directory; `None` without a C compiler.
pub(super) fn compile(directory: &Path) -> io::Result<Option<PathBuf>> {
    let (source, library) = (directory.join("preload.c"), directory.join("preload.so"));
    fs::write(&source, include_str!("preload.c"))?;
    let mut command = Command::new("cc");
    command.args(["-O1", "-shared", "-fPIC", "-pthread", "-o"]).arg(&library).arg(&source);
    match command.output() {
        Ok(done) if done.status.success() => Ok(Some(library)),
        Ok(done) => Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! Selects the directory for private files, with a reason if it is not the requested one.
//!
//! It only examines directories, and creates none. A directory is examined once, when a client is built; its files
//! are then opened by the directory's descriptor, which must not be a link ([`at`](super::at)).

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use colony_core::token::cache_path::Directories;

use super::{Disk as _, Kind, Owner, Real};

/// The directory in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Place {
    /// The directory. `None` if no directory can be used.
    pub path: Option<PathBuf>,
    /// Why this is not the preferred directory, and the remedy; `None` when it is. One sentence.
    pub reason: Option<String>,
}

/// Why a directory is not used.
#[derive(Debug)]
pub(crate) struct Unusable {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// It belongs to another user.
    Foreign,
    /// It is a link that must not be followed, or whose target must not be used.
    Link(&'static str),
    NotADirectory,
    Io(io::Error),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.path.display())?;
        match &self.why {
            Why::Foreign => f.write_str("belongs to another user"),
            Why::Link(why) => write!(f, "is a link {why}"),
            Why::NotADirectory => f.write_str("is not a directory"),
            Why::Io(error) => write!(f, "cannot be used: {error}"),
        }
    }
}

impl From<Unusable> for io::Error {
    fn from(unusable: Unusable) -> Self {
        let kind = match &unusable.why {
            Why::Io(error) => error.kind(),
            _ => io::ErrorKind::PermissionDenied,
        };
        Self::new(kind, unusable.to_string())
    }
}

/// Returns the user's number, on systems where users have one.
pub(crate) fn user() -> Option<u32> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    None
}

/// Chooses among the directories of a rule. `program` names the subdirectory to use in a directory shared with
/// others.
pub(crate) fn choose(directories: &Directories, program: &str) -> Place {
    let Some(preferred) = &directories.preferred else {
        return fall_back(directories, "there is no home directory", "set HOME");
    };
    if directories.is_explicit {
        return match explicit(preferred, program) {
            Ok(Chosen { path, above: None }) => Place { path: Some(path), reason: None },
            Ok(Chosen { path, above: Some(foreign) }) => {
                let reason = format!(
                    "tokens are kept in {}, and not shared with the Python package: {foreign}; make it this user's \
                     (chown) to share them",
                    path.display()
                );
                Place { path: Some(path), reason: Some(reason) }
            }
            Err(unusable) => {
                let remedy = "name a directory of this user's that is closed to others (mode 0700)";
                Place {
                    path: None,
                    reason: Some(format!("tokens are kept in memory only: {unusable}; {remedy}")),
                }
            }
        };
    }
    match own(preferred, Above::Own) {
        Ok(path) => Place { path: Some(path), reason: None },
        Err(unusable) => {
            let remedy = match unusable.why {
                Why::Foreign if unusable.path == *preferred => "give it back to this user (chown)",
                Why::Foreign => "set HOME to this user's home (sudo -H)",
                _ => "make it writable for this user only",
            };
            fall_back(directories, &unusable.to_string(), remedy)
        }
    }
}

fn fall_back(directories: &Directories, why: &str, remedy: &str) -> Place {
    let remedy = format!("{remedy} or name another directory (COLONY_SDK_TOKEN_CACHE_DIR)");
    let path = directories.fallbacks.iter().find_map(|path| own(path, Above::Everybodys).ok());
    let reason = match &path {
        Some(path) => format!("tokens are kept in {}: {why}; {remedy}", path.display()),
        None => format!("tokens are kept in memory only: {why}; {remedy}"),
    };
    Place { path, reason: Some(reason) }
}

/// Returns every directory of a rule that can hold this user's files, the one in use first.
pub(crate) fn all(directories: &Directories, program: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = choose(directories, program).path.into_iter().collect();
    let mut add = |path: Result<PathBuf, Unusable>| {
        if let Ok(path) = path
            && !found.contains(&path)
        {
            found.push(path);
        }
    };
    if let Some(preferred) = &directories.preferred {
        add(own(preferred, Above::Any));
        if directories.is_explicit {
            add(own(&preferred.join(of_user(program)), Above::Any));
        }
    }
    for fallback in &directories.fallbacks {
        add(own(fallback, Above::Any));
    }
    found
}

/// An explicitly named directory.
pub(crate) struct Chosen {
    pub(crate) path: PathBuf,
    /// The requested directory, if it belongs to another user and `path` is this user's subdirectory of it.
    pub(crate) above: Option<Unusable>,
}

/// Returns an explicitly named directory, or this user's subdirectory if it belongs to another user.
///
/// # Errors
///
/// When it cannot be used at all.
pub(crate) fn explicit(path: &Path, program: &str) -> Result<Chosen, Unusable> {
    let path = absolute(path)?;
    match own(&path, Above::Any) {
        Ok(path) => Ok(Chosen { path, above: None }),
        Err(foreign @ Unusable { why: Why::Foreign, .. }) if foreign.path == path => {
            writable(&path)?;
            let path = own(&path.join(of_user(program)), Above::Any)?;
            Ok(Chosen { path, above: Some(foreign) })
        }
        Err(unusable) => Err(unusable),
    }
}

/// Returns the name of this user's subdirectory, such as `colony-sdk-1000`.
fn of_user(program: &str) -> String {
    user().map_or_else(|| program.to_owned(), |user| format!("{program}-{user}"))
}

/// The owner that the nearest existing directory above a missing one can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Above {
    /// This user: nothing is created in another user's home.
    Own,
    /// This user, or any if everyone can write in it.
    Everybodys,
    /// Any user who lets this user create something in it.
    Any,
}

/// Returns the path of a directory that belongs to this user, or can be created: absolute, without a trailing slash,
/// and with a link followed if it and its closed target belong to this user.
pub(crate) fn own(path: &Path, above: Above) -> Result<PathBuf, Unusable> {
    let path = absolute(path)?;
    let io = |error| Unusable { path: path.clone(), why: Why::Io(error) };
    let unusable = |why| Err(Unusable { path: path.clone(), why });
    let facts = match Real.facts(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return can_be_made(&path, above).map(|()| path);
        }
        facts => facts.map_err(io)?,
    };
    match (facts.kind, facts.owner) {
        (Kind::Directory, Owner::Us) => {}
        (Kind::Directory, _) => return unusable(Why::Foreign),
        (Kind::Link, Owner::Us) => {
            let target = fs::canonicalize(&path).map_err(io)?;
            let facts = Real.facts(&target).map_err(io)?;
            return match (facts.kind, facts.owner) {
                (Kind::Directory, Owner::Us) if facts.mode & 0o022 != 0 => {
                    unusable(Why::Link("to a directory that others may write in"))
                }
                (Kind::Directory, Owner::Us) => writable(&target).map(|()| target),
                (Kind::Directory, _) => unusable(Why::Link("to a directory of another user")),
                _ => unusable(Why::Link("to something that is not a directory")),
            };
        }
        (Kind::Link, _) => return unusable(Why::Link("of another user")),
        _ => return unusable(Why::NotADirectory),
    }
    writable(&path).map(|()| path)
}

/// Checks that a missing directory can be created.
fn can_be_made(path: &Path, above: Above) -> Result<(), Unusable> {
    let unusable = |path: &Path, why| Unusable { path: path.to_owned(), why };
    for ancestor in path.ancestors().skip(1) {
        // The target of a link on the way is checked.
        let real = match fs::canonicalize(ancestor) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound && Real.facts(ancestor).is_err() => {
                continue;
            }
            Err(error) => return Err(unusable(ancestor, Why::Io(error))),
        };
        let facts = Real.facts(&real).map_err(|error| unusable(ancestor, Why::Io(error)))?;
        return match (facts.kind, facts.owner) {
            (Kind::Directory, Owner::Us) => writable(&real),
            (Kind::Directory, _) => match above {
                Above::Any => writable(&real),
                Above::Everybodys if facts.mode & 0o002 != 0 => writable(&real),
                _ => Err(unusable(ancestor, Why::Foreign)),
            },
            _ => Err(unusable(ancestor, Why::NotADirectory)),
        };
    }
    Ok(())
}

/// Checks that this user can create files in an existing directory. A read-only file system fails the check.
fn writable(path: &Path) -> Result<(), Unusable> {
    #[cfg(unix)]
    {
        use rustix::{
            fs::{Access, AtFlags, CWD, accessat},
            io::Errno,
        };
        let may = |flags| accessat(CWD, path, Access::WRITE_OK | Access::EXEC_OK, flags);
        // Some systems cannot check for the effective user.
        let asked = may(AtFlags::EACCESS);
        let asked = if asked == Err(Errno::NOSYS) { may(AtFlags::empty()) } else { asked };
        asked.map_err(|error| Unusable { path: path.to_owned(), why: Why::Io(error.into()) })
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(())
    }
}

/// Returns the absolute path, without a trailing slash, which would follow a link.
fn absolute(path: &Path) -> Result<PathBuf, Unusable> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|error| Unusable { path: path.to_owned(), why: Why::Io(error) })?;
    Ok(absolute.components().collect())
}

/// Returns the directory for files that must not be lost. There is no fallback if it cannot be used: then the path
/// stays unchanged, and every use of it is an error with the reason.
///
/// # Errors
///
/// When a default directory does not exist and would be created in another user's home.
pub(crate) fn kept(path: &Path, is_explicit: bool) -> Result<PathBuf, Unusable> {
    if is_explicit {
        return Ok(given(path));
    }
    match own(path, Above::Own) {
        Err(foreign @ Unusable { why: Why::Foreign, .. }) if foreign.path != path => Err(foreign),
        chosen => Ok(chosen.unwrap_or_else(|_| path.to_owned())),
    }
}

/// As [`kept`], for an explicitly named directory.
pub(crate) fn given(path: &Path) -> PathBuf {
    match explicit(path, "colony-sdk") {
        Ok(chosen) => chosen.path,
        Err(_) => absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

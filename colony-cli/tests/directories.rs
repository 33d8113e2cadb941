//! The directory of the token cache, in every state of homes and volumes: twenty processes log in once, each reports
//! the problem in one line, nothing is created in another user's home, and `auth logout` and `cache clear` leave no
//! token behind.

#![cfg(unix)]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use colony_cli::sandbox::{Options, Sandbox};
use tempfile::TempDir;

/// A user without an entry in the system's list, and another.
const ADA: u32 = 54_321;
const EVE: u32 = 54_322;

const PROCESSES: usize = 20;

struct Scene {
    sandbox: Sandbox,
    runtime: tokio::runtime::Runtime,
    /// Contains homes and volumes; every user may pass through.
    outer: TempDir,
    temporary: PathBuf,
    environment: Vec<(String, PathBuf)>,
    working: PathBuf,
    user: Option<u32>,
}

impl Scene {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(Options::default())).unwrap();
        let outer = tempfile::tempdir().unwrap();
        mode(outer.path(), 0o755);
        let temporary = outer.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        mode(&temporary, 0o1777);
        let working = outer.path().to_owned();
        Self { sandbox, runtime, outer, temporary, environment: Vec::new(), working, user: None }
            .with("HOME", "home")
    }

    /// Sets a variable to a path below the scene.
    fn with(mut self, name: &str, path: &str) -> Self {
        let path = self.path(path);
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), path));
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.outer.path().join(path)
    }

    fn directory(&self, path: &str, owner: Option<u32>, bits: u32) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(&path).unwrap();
        mode(&path, bits);
        if owner.is_some() {
            chown(&path, owner, owner).unwrap();
        }
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
        command
            .args(arguments)
            .env_clear()
            .env("TMPDIR", &self.temporary)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("COLONY_BASE_URL", self.sandbox.base_url())
            .env("COLONY_API_KEY", self.sandbox.api_key())
            .env("NO_PROXY", "127.0.0.1")
            .current_dir(&self.working)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        let said = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said:?}");
        said
    }

    fn logins(&self) -> u64 {
        self.sandbox.stats().with_status("POST /auth/token", 200)
    }

    /// Runs twenty processes at a time: one login, and each one's output.
    fn crew(&self, what: &str) -> String {
        let before = self.logins();
        let started: Vec<Child> =
            (0..PROCESSES).map(|_| self.command(&["whoami"]).spawn().unwrap()).collect();
        let ended: Vec<Output> = started.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let said: Vec<String> = ended.iter().map(|output| warnings(&text(&output.stderr))).collect();
        for output in &ended {
            assert!(output.status.success(), "{what}: {}", text(&output.stderr));
        }
        assert!(said.iter().all(|line| *line == said[0]), "{what}: {said:?}");
        assert_eq!(self.logins() - before, 1, "{what}: logins; {}", said[0]);
        said[0].clone()
    }

    /// Returns all files below the scene that contain a token.
    fn tokens(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.outer.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let facts = fs::symlink_metadata(&path).unwrap();
                if facts.is_dir() {
                    open.push(path);
                } else if facts.is_file() && fs::read(&path).unwrap().windows(3).any(|text| text == b"eyJ") {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Checks everything: a crew with one token file in `place`, with or without a reason printed; then logout and
    /// clear.
    fn expect(&self, what: &str, place: &str, said: Option<&str>) {
        let warning = self.crew(what);
        match said {
            None => assert_eq!(warning, "", "{what}"),
            Some(part) => {
                assert!(warning.starts_with("warning: ") && warning.contains(part), "{what}: {warning:?}");
                assert_eq!(warning.lines().count(), 1, "{what}: {warning:?}");
            }
        }
        let tokens = self.tokens();
        assert_eq!(tokens.len(), 1, "{what}: {tokens:?}");
        let directory = fs::canonicalize(self.path(place)).unwrap();
        assert_eq!(tokens[0].parent(), Some(directory.as_path()), "{what}: {tokens:?}");
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o022, 0, "{what}");
        let (shown, reason) = self.run(&["cache", "path"]);
        assert!(Path::new(shown.trim()).is_absolute(), "{what}: {shown}");
        assert_eq!(fs::canonicalize(shown.trim()).unwrap(), directory, "{what}");
        let status = self.run(&["auth", "status"]).0;
        if let Some(part) = said {
            assert!(reason.contains(part), "{what}: {reason:?}");
            assert!(status.contains(part), "{what}: {status:?}");
        }
        for command in [["auth", "logout"], ["cache", "clear"]] {
            self.crew_again();
            let name = self.tokens()[0].file_stem().unwrap().to_str().unwrap().to_owned();
            let litter = directory.join(format!(".{name}.Xy12.tmp"));
            fs::write(&litter, r#"{"v": 1, "token": "eyJ"#).unwrap();
            self.run(&command);
            assert_eq!(self.tokens(), Vec::<PathBuf>::new(), "{what}: {command:?}");
        }
    }

    fn crew_again(&self) {
        self.run(&["--quiet", "whoami"]);
        assert_eq!(self.tokens().len(), 1);
    }

    /// Checks that each process logs in separately, and nothing is written to disk.
    fn expect_memory_only(&self, what: &str, said: &str) {
        let warning = warnings(&self.run(&["whoami"]).1);
        assert!(warning.contains("in memory only") && warning.contains(said), "{what}: {warning:?}");
        assert_eq!(warning.lines().count(), 1, "{what}: {warning:?}");
        assert_eq!(self.tokens(), Vec::<PathBuf>::new(), "{what}");
        let status = self.run(&["auth", "status"]).0;
        assert!(status.contains(said), "{what}: {status:?}");
        self.run(&["auth", "logout"]);
        self.run(&["cache", "clear"]);
        assert_eq!(warnings(&self.run(&["--quiet", "whoami"]).1), "", "{what}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the warnings among the lines.
fn warnings(said: &str) -> String {
    said.lines().filter(|line| line.contains("warning")).map(|line| format!("{line}\n")).collect()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Returns whether this process can act as other users.
fn is_root() -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    let is_root = chown(file.path(), Some(ADA), None).is_ok();
    if !is_root {
        #[allow(clippy::print_stdout, reason = "what was not tried is to be seen")]
        {
            println!("NOT TRIED: what needs root, to be another user");
        }
    }
    is_root
}

const VARIABLE: &str = "COLONY_SDK_TOKEN_CACHE_DIR";

#[test]
fn a_relative_directory_is_below_the_working_directory() {
    for path in ["cache", "./a/../a/cache/", "../work/cache"] {
        let mut scene = Scene::new();
        scene.working = scene.directory("work", None, 0o700);
        scene.environment.push((VARIABLE.to_owned(), PathBuf::from(path)));
        fs::create_dir(scene.working.join("a")).unwrap();
        scene.expect(path, &format!("work/{path}"), None);
    }
}

#[test]
fn a_link_is_followed_where_nobody_else_decides_where_it_leads() {
    for (slash, bits) in [("", 0o700), ("/", 0o700), ("/", 0o755)] {
        let scene = Scene::new().with(VARIABLE, &format!("link{slash}"));
        scene.directory("target", None, bits);
        symlink(scene.path("target"), scene.path("link")).unwrap();
        scene.expect("a link", "target", None);
    }
    let scene = Scene::new();
    scene.directory("home/.cache", None, 0o700);
    scene.directory("scratch", None, 0o700);
    symlink("../../scratch", scene.path("home/.cache/colony-sdk")).unwrap();
    scene.expect("a link in the home", "scratch", None);

    let scene = Scene::new().with(VARIABLE, "link");
    scene.directory("target", None, 0o770);
    symlink(scene.path("target"), scene.path("link")).unwrap();
    scene.expect_memory_only("a loose target", "others may write in");
    let scene = Scene::new().with(VARIABLE, "link");
    symlink(scene.path("nothing"), scene.path("link")).unwrap();
    scene.expect_memory_only("a dangling link", "link");
    if !is_root() {
        return;
    }
    let mut scene = Scene::new().with(VARIABLE, "link");
    scene.directory("target", Some(ADA), 0o700);
    symlink(scene.path("target"), scene.path("link")).unwrap();
    scene.user = Some(ADA);
    scene.expect_memory_only("somebody else's link", "is a link of another user");
}

#[test]
fn an_unusable_default_gives_way_to_another_directory() {
    let scene = Scene::new();
    fs::create_dir(scene.path("home")).unwrap();
    fs::write(scene.path("home/.cache"), "").unwrap();
    let own = format!("tmp/colony-sdk-{}", fs::metadata(scene.outer.path()).unwrap().uid());
    scene.expect("a file in the way", &own, Some("Not a directory"));
    let scene = Scene::new().with("XDG_RUNTIME_DIR", "run");
    scene.directory("run", None, 0o700);
    symlink("/nowhere", scene.path("home")).unwrap();
    scene.expect("a home that leads nowhere", "run/colony-sdk", Some("home"));
    if !is_root() {
        return;
    }

    // `sudo colony` with the user's home, and with the user's runtime directory.
    let scene = Scene::new().with("XDG_RUNTIME_DIR", "run");
    scene.directory("run", Some(ADA), 0o700);
    scene.directory("home", Some(ADA), 0o755);
    scene.expect("sudo", "tmp/colony-sdk-0", Some("belongs to another user"));
    let left: Vec<_> =
        fs::read_dir(scene.path("home")).unwrap().chain(fs::read_dir(scene.path("run")).unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");

    // After one `sudo colony` of an older version: directories owned by root in the user's home.
    let mut scene = Scene::new().with("XDG_RUNTIME_DIR", "run");
    scene.user = Some(ADA);
    scene.directory("run", Some(ADA), 0o700);
    scene.directory("home", Some(ADA), 0o755);
    scene.directory("home/.cache/colony-sdk", Some(0), 0o700);
    scene.expect("root's directory", "run/colony-sdk", Some("belongs to another user"));

    // A read-only home.
    let mut scene = Scene::new();
    scene.user = Some(ADA);
    scene.directory("home", Some(ADA), 0o555);
    scene.expect("a read-only home", "tmp/colony-sdk-54321", Some("Permission denied"));

    // A user without a home.
    for home in ["/", "", "/nonexistent", "/proc", "relative/dir"] {
        let mut scene = Scene::new();
        scene.user = Some(ADA);
        scene.environment.retain(|(name, _)| name != "HOME");
        scene.environment.push(("HOME".to_owned(), home.into()));
        scene.expect(home, "tmp/colony-sdk-54321", Some("home"));
    }

    // Another user has already taken the name in the world-writable directory.
    let mut scene = Scene::new();
    scene.user = Some(ADA);
    scene.directory("home", Some(EVE), 0o755);
    scene.directory("tmp/colony-sdk-54321", Some(EVE), 0o777);
    scene.expect_memory_only("a taken name", "belongs to another user");
    let mut scene = Scene::new();
    scene.user = Some(ADA);
    scene.directory("home", Some(EVE), 0o755);
    scene.directory("eve", Some(EVE), 0o777);
    symlink(scene.path("eve"), scene.path("tmp/colony-sdk-54321")).unwrap();
    scene.expect_memory_only("a link in its place", "belongs to another user");
}

#[test]
fn in_an_explicit_directory_of_another_user_each_has_one_of_their_own() {
    if !is_root() {
        return;
    }
    let mut scene = Scene::new().with(VARIABLE, "volume");
    scene.user = Some(ADA);
    scene.directory("volume", Some(0), 0o777);
    scene.expect("a volume", "volume/colony-sdk-54321", Some("not shared with the Python package"));
    let root = Scene::new().with(VARIABLE, "volume");
    root.directory("volume", Some(ADA), 0o700);
    root.expect("root in a user's directory", "volume/colony-sdk-0", Some("belongs to another user"));

    // Two users of one volume, neither of whom sees the other's files.
    scene.run(&["--quiet", "whoami"]);
    scene.user = Some(EVE);
    scene.run(&["--quiet", "whoami"]);
    assert_eq!(scene.tokens().len(), 2);
    scene.run(&["cache", "clear"]);
    assert_eq!(scene.tokens().len(), 1, "the other's stays");
    scene.user = Some(ADA);
    scene.run(&["auth", "logout"]);
    assert_eq!(scene.tokens(), Vec::<PathBuf>::new());

    let mut scene = Scene::new().with(VARIABLE, "volume");
    scene.user = Some(ADA);
    scene.directory("volume", Some(EVE), 0o755);
    scene.expect_memory_only("a volume that cannot be written", "Permission denied");
    scene.directory("volume", Some(EVE), 0o777);
    scene.directory("volume/colony-sdk-54321", Some(EVE), 0o777);
    scene.expect_memory_only("a taken name", "belongs to another user");
}

#[test]
fn profiles_and_credentials_lie_where_the_same_rules_say() {
    for (name, path) in [("relative", "config"), ("a link", "link/")] {
        let mut scene = Scene::new().with(VARIABLE, "cache");
        scene.directory("target", None, 0o700);
        symlink(scene.path("target"), scene.path("link")).unwrap();
        scene.environment.push(("COLONY_CONFIG_DIR".to_owned(), path.into()));
        let key = scene.path("key");
        fs::write(&key, scene.sandbox.api_key()).unwrap();
        let mut command = scene.command(&["auth", "login"]);
        let done =
            command.env_remove("COLONY_API_KEY").stdin(fs::File::open(&key).unwrap()).output().unwrap();
        assert!(done.status.success(), "{name}: {}", text(&done.stderr));
        let done = scene.command(&["whoami"]).env_remove("COLONY_API_KEY").output().unwrap();
        assert!(done.status.success(), "{name}: {}", text(&done.stderr));
        assert!(scene.path(path).join("profiles").is_dir(), "{name}");
        assert_eq!(scene.logins(), 1);
    }
    if !is_root() {
        return;
    }
    let mut scene = Scene::new().with(VARIABLE, "cache").with("COLONY_CONFIG_DIR", "volume");
    scene.user = Some(ADA);
    scene.directory("cache", Some(ADA), 0o700);
    scene.directory("volume", Some(0), 0o777);
    let key = scene.path("key");
    fs::write(&key, scene.sandbox.api_key()).unwrap();
    let mut command = scene.command(&["auth", "login"]);
    let done = command.env_remove("COLONY_API_KEY").stdin(fs::File::open(&key).unwrap()).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(scene.path("volume/colony-sdk-54321/profiles").is_dir());

    // Nothing is created in another user's home.
    let scene = Scene::new();
    scene.directory("home", Some(ADA), 0o755);
    let mut command = scene.command(&["auth", "login"]);
    let done = command.env_remove("COLONY_API_KEY").stdin(fs::File::open(&key).unwrap()).output().unwrap();
    let said = text(&done.stderr);
    assert!(!done.status.success() && said.contains("belongs to another user"), "{said}");
    assert_eq!(fs::read_dir(scene.path("home")).unwrap().count(), 0);
}

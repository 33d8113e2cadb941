//! `colony call --output`: downloads of any size, complete or not at all.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use colony_tests::giant::{MIB, serve};

fn colony(home: &Path, base_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colony"));
    command
        .env_clear()
        .env("HOME", home)
        .env("COLONY_SDK_TOKEN_CACHE_DIR", home.join("tokens"))
        .env("COLONY_API_KEY", "col_downloads")
        .env("COLONY_BASE_URL", base_url)
        .args(["call", "get_message_attachment", "--args", r#"{"attachment_id": "large"}"#, "--output"])
        .stdin(Stdio::null());
    command
}

/// Returns the names in a directory, except the token cache.
fn names(directory: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name != "tokens").collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_gigabyte_takes_little_memory() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("large.bin");
    let mut running = colony(home.path(), &format!("{}/large", serve())).arg(&file).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        // Without the program's own pages, which take tens of megabytes in an unoptimized build.
        let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        if let Some(kib) = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok()) {
            peak = peak.max(kib / 1024);
        }
        if let Some(status) = running.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(status.success());
    assert_eq!(fs::metadata(&file).unwrap().len(), 1024 * MIB as u64);
    assert!(peak > 0 && peak < 32, "{peak} MiB");
    assert_eq!(names(home.path()), ["large.bin"]);
}

#[test]
fn a_broken_download_leaves_the_file_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("kept.bin");
    fs::write(&file, "kept").unwrap();
    let output = colony(home.path(), &format!("{}/broken", serve())).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&format!("{} bytes had arrived", 3 * MIB)), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(names(home.path()), ["kept.bin"]);
}

#[test]
#[cfg(unix)]
fn a_link_stays_and_a_device_is_written_to() {
    let home = tempfile::tempdir().unwrap();
    let (file, link) = (home.path().join("file.bin"), home.path().join("link.bin"));
    fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let server = format!("{}/small", serve());
    assert!(colony(home.path(), &server).arg(&link).status().unwrap().success());
    assert_eq!(fs::read_to_string(&file).unwrap(), "small");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(colony(home.path(), &server).arg("/dev/null").status().unwrap().success());
    let missing = colony(home.path(), &server).arg(home.path().join("none/file")).output().unwrap();
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}

#!/usr/bin/env python3
"""Checks the dependencies as `cargo metadata` tells them: Rust version, licences, sources, weight.

Run from the workspace's folder; needs no network once the lock file's crates are there. The same rules for
`cargo deny` are in deny.toml, which also knows advisories.
"""

import json
import re
import subprocess
import sys

# As in deny.toml.
LICENCES = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}  # fmt: skip
SOURCE = "registry+https://github.com/rust-lang/crates.io-index"
# What the command line needs and a library's users must not pay for.
HEAVY = {"axum", "clap", "comfy-table", "tracing-subscriber", "wiremock"}
LIBRARIES = ["colony-core", "colony-async", "colony-blocking"]
# Ceilings, so that a heavy dependency is a decision and not an accident. A third of the core's are the address
# parser's, which reqwest brings to both clients anyway: where a token may be sent is to be judged by the parser
# that decides where it goes.
MOST = {"colony-core": 70, "colony-async": 150, "colony-blocking": 150}
# What the feature `redis` may bring beside these.
MOST_WITH_REDIS = 12


def allowed(expression):
    """Whether an SPDX expression can be met with the allowed licences."""
    # An old way to write OR.
    words = re.findall(r"\(|\)|AND|OR|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", expression.replace("/", " OR "))

    def either():
        met = both()
        while words and words[0] == "OR":
            words.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0)
        if word == "(":
            met = either()
            words.pop(0)
            return met
        return " ".join(word.split()) in LICENCES

    return either()


def version(text):
    return tuple(int(part) for part in (text.split(".") + ["0", "0"])[:3])


def tree(package, *features):
    """The crates a library brings into a program on this system."""
    command = ["cargo", "tree", "--locked", "--package", package, "--edges", "normal", "--prefix", "none"]
    command += [f"--features={feature}" for feature in features]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[0] for line in lines if line.strip()}


def main():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    members = set(metadata["workspace_members"])
    ours = {package["rust_version"] for package in metadata["packages"] if package["id"] in members}
    problems = []
    if len(ours) != 1 or None in ours:
        problems.append(f"the workspace's packages state several Rust versions: {ours}")
    stated = max(filter(None, ours), key=version)
    foreign = [package for package in metadata["packages"] if package["id"] not in members]
    for package in foreign:
        name = f"{package['name']} {package['version']}"
        if package["rust_version"] and version(package["rust_version"]) > version(stated):
            problems.append(f"{name} needs Rust {package['rust_version']}; the workspace states {stated}")
        if not allowed(package["license"] or "none"):
            problems.append(f"{name}: its licence {package['license']!r} is not among the allowed ones")
        if package["source"] != SOURCE:
            problems.append(f"{name} comes from {package['source']}")
    weights = []
    for library in LIBRARIES:
        crates = tree(library) - set(LIBRARIES)
        weights.append(f"{library} {len(crates)}")
        if heavy := crates & HEAVY:
            problems.append(f"{library} brings {', '.join(sorted(heavy))} into every program that uses it")
        if len(crates) > MOST[library]:
            problems.append(f"{library} brings {len(crates)} crates; the ceiling is {MOST[library]}")
    with_redis = tree("colony-async", "redis") - tree("colony-async")
    weights.append(f"colony-async with redis + {len(with_redis)}")
    if len(with_redis) > MOST_WITH_REDIS:
        problems.append(f"the feature redis brings {', '.join(sorted(with_redis))}; the ceiling is {MOST_WITH_REDIS}")
    for problem in problems:
        print(f"error: {problem}")
    print(f"{len(foreign)} dependencies checked against Rust {stated}, licences and sources;")
    print(f"crates a library brings: {', '.join(weights)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

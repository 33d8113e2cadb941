#!/usr/bin/env bash
# Type-checks what is published for the systems it is not built on here; with --wine also runs the tests of the
# token's files (paths, atomic writes, the lock) for Windows.
#
#   .ci/cross_check.sh             x86_64-pc-windows-gnu and aarch64-apple-darwin
#   .ci/cross_check.sh --wine      and the tests, under wine
#
# The type checks need rustup, which gets the targets' standard libraries; what cannot be had is said, and is no
# failure. Only Rust is checked: C compilers are stand-ins that make empty objects. --wine needs mingw's gcc and wine
# (Debian: gcc-mingw-w64-x86-64-posix wine64), and compiles nothing in C.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(--package colony-core --package colony-async --package colony-blocking --package colony-cli)
windows=x86_64-pc-windows-gnu
work=$PWD/target/systems
mkdir -p "$work/bin"

cat >"$work/bin/cc" <<'STAND_IN'
#!/bin/sh
out=
while [ $# -gt 0 ]; do
    case $1 in
        # A build script that asks which compiler this is.
        -E) printf '#pragma clang\nclang\n'; exit 0 ;;
        -o) out=$2; shift ;;
        -o*) out=${1#-o} ;;
    esac
    shift
done
[ -z "$out" ] || : >"$out"
STAND_IN
cat >"$work/bin/ar" <<'STAND_IN'
#!/bin/sh
[ -z "$2" ] || printf '!<arch>\n' >"$2"
STAND_IN
chmod +x "$work/bin/cc" "$work/bin/ar"

# Whether the standard library of this target is there, or can be had.
have_target() {
    command -v rustup >/dev/null || return 1
    rustup target list --installed | grep -qx "$1" || timeout 300 rustup target add "$1" >"$work/rustup.log" 2>&1
}

check() {
    local target=$1 variable=${1//-/_}
    if ! have_target "$target"; then
        echo "NOT TRIED: $target cannot be had from rustup here; nothing is known of this system"
        return
    fi
    echo "checking for $target"
    # Build scripts look for Apple's tools even if nothing is compiled.
    env "CC_$variable=$work/bin/cc" "CXX_$variable=$work/bin/cc" "AR_$variable=$work/bin/ar" \
        "RANLIB_$variable=true" SDKROOT=/nonexistent RUSTFLAGS="-D warnings" \
        cargo check --quiet --locked --target "$target" --target-dir "$work" --all-targets "${packages[@]}"
    echo "$target: type-checks"
}

wine() {
    local wine=/usr/lib/wine/wine64 compiler=x86_64-w64-mingw32-gcc
    if ! have_target $windows || ! command -v $compiler >/dev/null || [ ! -x $wine ]; then
        echo "NOT TRIED: the tests under wine need rustup's $windows, gcc-mingw-w64-x86-64-posix and wine64"
        return
    fi
    export WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
    unset DISPLAY WAYLAND_DISPLAY
    trap '/usr/lib/wine/wineserver64 -k 2>/dev/null || true' EXIT
    if [ ! -e "$WINEPREFIX/ready" ]; then
        timeout 300 $wine wineboot -i
        timeout 60 $wine winecfg -v win10
        # Where Rust gets random bytes from, which wine 8 does not have.
        cat >"$work/random.c" <<'SOURCE'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T count) {
    while (count) {
        ULONG part = count > 0x10000000 ? 0x10000000 : (ULONG)count;
        if (!SystemFunction036(to, part)) return FALSE;
        to += part;
        count -= part;
    }
    return TRUE;
}
SOURCE
        $compiler -shared -O2 -s -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
            "$work/random.c" -ladvapi32
        : >"$WINEPREFIX/ready"
    fi
    local libraries
    libraries=$(dirname "$($compiler -print-libgcc-file-name)")
    export WINEPATH="Z:${libraries//\//\\};Z:\\usr\\x86_64-w64-mingw32\\lib"
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$compiler CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine
    local test=(timeout 1800 cargo test --quiet --locked --target $windows --target-dir "$work")
    echo "under wine: the paths and the rules of the files"
    "${test[@]}" --package colony-core --lib token
    "${test[@]}" --package colony-core --test token_cache
    echo "under wine: private files, atomic writes, the lock"
    "${test[@]}" --package colony-async --no-default-features --lib disk
}

for target in $windows aarch64-apple-darwin; do
    check "$target"
done
[ "${1:-}" != --wine ] || wine

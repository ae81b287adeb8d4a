#!/usr/bin/env bash
# Builds target/package/alert-packet-capture.zip: host.json, the function folders, and the handler. The same source and
# the same tools give the same bytes, in whatever folder this is called.
# Usage: deploy/package.sh [--native]
#   --native  link against this machine's glibc; such a package runs only where glibc is as new as here.
set -euo pipefail
cd "$(dirname "$0")/.."

# No image of Azure's Linux plans has an older glibc; Debian 10 and RHEL 8 have this one.
glibc=2.28
target=x86_64-unknown-linux-gnu

native=
case "${1:-}" in
  "") ;;
  --native) native=yes ;;
  *) sed -n '2,6p' "$0" | cut -c3- >&2; exit 2 ;;
esac
fail() { printf '%s\n' "$@" >&2; exit 1; }

command -v python3 >/dev/null || fail "python3 is needed to write the zip: apt-get install python3"
if [ -d target/tools/package/bin ]; then PATH="$PWD/target/tools/package/bin:$PATH"; fi
if [ -z "$native" ] && ! { cargo-zigbuild --version && python3 -m ziglang version; } >/dev/null 2>&1; then
  fail "cargo-zigbuild with Zig is needed to link for old images. Either of these helps:" \
    "  deploy/tools.sh package    installs them into target/tools, from PyPI" \
    "  deploy/package.sh --native builds for machines whose glibc is at least this one's"
fi

# Paths of this machine must not get into the executable: panic messages and C's __FILE__ would contain them.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
unit=$'\x1f'
flags=--remap-path-prefix=$PWD=.
flags+=$unit--remap-path-prefix=$cargo_home=/cargo
flags+=$unit--remap-path-prefix=$rustup_home=/rustup
export CARGO_ENCODED_RUSTFLAGS=$flags
export CFLAGS="${CFLAGS:-} -ffile-prefix-map=$PWD=. -ffile-prefix-map=$cargo_home=/cargo"
export CARGO_INCREMENTAL=0
# Of the commit that is built: what `handler --version` says, and the time of the files in the zip.
read -r commit at < <(deploy/commit.sh)
export HANDLER_COMMIT=${HANDLER_COMMIT:-$commit} SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$at}

build=(--locked --release --package alert-packet-capture --bin handler)
if [ -n "$native" ]; then
  echo "linking against this machine's glibc: the package runs only where glibc is as new as here" >&2
  # A folder of its own: Cargo does not see that only the linker has changed.
  out=target/native
  cargo build --target-dir $out --target $target "${build[@]}"
else
  out=target
  cargo zigbuild --target $target.$glibc "${build[@]}"
fi

mkdir -p target/package
python3 - target/package/alert-packet-capture.zip "$out/$target/release/handler" <<'PYTHON'
import os, pathlib, stat, sys, time, zipfile

out, handler = map(pathlib.Path, sys.argv[1:])
# The zip format counts from 1980, in steps of two seconds.
at = time.gmtime(max(int(os.environ["SOURCE_DATE_EPOCH"]), 315532800))[:6]
files = {"handler": (handler, 0o755), "host.json": (pathlib.Path("host.json"), 0o644)}
for function in pathlib.Path(".").glob("*/function.json"):
    files[function.as_posix()] = (function, 0o644)
part = out.with_suffix(".part")
with zipfile.ZipFile(part, "w") as package:
    for name, (path, mode) in sorted(files.items()):
        entry = zipfile.ZipInfo(name, at)
        entry.create_system = 3  # Unix: only then are the modes read
        entry.external_attr = (stat.S_IFREG | mode) << 16
        # Stored, not deflated: another zlib would give other bytes.
        entry.compress_type = zipfile.ZIP_STORED
        package.writestr(entry, path.read_bytes())
part.replace(out)
PYTHON
# The name alone, so that `sha256sum --check` finds a download in any folder.
cd target/package
sha256sum alert-packet-capture.zip | tee alert-packet-capture.zip.sha256

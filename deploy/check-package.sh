#!/usr/bin/env bash
# Checks the package that deploy/package.sh made: its files and modes, that the executable runs on old images, and that it
# names the commit of these sources.
# Usage: deploy/check-package.sh [--native] [ZIP]      --native allows any glibc.
set -euo pipefail
cd "$(dirname "$0")/.."

most_glibc=2.28
most_bytes=$((12 * 1024 * 1024))
if [ "${1:-}" = --native ]; then most_glibc=; shift; fi
zip=${1:-target/package/alert-packet-capture.zip}
fail() { printf 'wrong package: %s\n' "$@" >&2; exit 1; }

command -v readelf >/dev/null || fail "readelf is needed to inspect it: apt-get install binutils"

expected=$({ printf '%s\n' '100755 handler' '100644 host.json'
  for function in */function.json; do echo "100644 $function"; done; } | LC_ALL=C sort -k 2)
found=$(python3 - "$zip" <<'PYTHON'
import sys, zipfile
for entry in zipfile.ZipFile(sys.argv[1]).infolist():
    assert entry.create_system == 3 and not entry.extra and not entry.comment, entry
    print(f"{entry.external_attr >> 16:o} {entry.filename}")
PYTHON
)
diff <(echo "$expected") <(echo "$found") >&2 || fail "these are not the files, in this order and with these modes (< expected, > found)"
echo "$found"

unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
python3 -m zipfile -e "$zip" "$unpacked"
handler=$unpacked/handler
grep -q '"defaultExecutablePath": "handler"' "$unpacked/host.json" || fail "host.json does not name the handler"

bytes=$(stat -c %s "$handler")
[ "$bytes" -lt "$most_bytes" ] || fail "the handler has $bytes bytes, $most_bytes are too many"

needed=$(readelf --wide --dynamic "$handler" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for library in $needed; do
  case "$library" in
    libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | ld-linux-x86-64.so.2) ;;
    libgcc_s.so.1) [ -z "$most_glibc" ] || fail "the handler needs libgcc_s.so.1" ;;
    *) fail "the handler needs $library" ;;
  esac
done

highest=$(readelf --wide --version-info "$handler" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
highest=${highest#GLIBC_}
[ -n "$highest" ] || fail "the handler names no version of glibc; is it what package.sh built?"
if [ -n "$most_glibc" ] && [ "$(printf '%s\n' "$highest" "$most_glibc" | sort -V | tail -n 1)" != "$most_glibc" ]; then
  fail "the handler needs glibc $highest, and images may have only $most_glibc"
fi

chmod +x "$handler"
version=$("$handler" --version)
read -r commit _ < <(deploy/commit.sh)
[[ "$version" == "handler "*" (commit $commit)" ]] || fail "the handler is \"$version\", these sources are commit $commit"

# A path of this machine in it would give different bytes on another machine.
for path in "$PWD" "${CARGO_HOME:-$HOME/.cargo}" "${RUSTUP_HOME:-$HOME/.rustup}"; do
  if grep -q -a -F "$path/" "$handler"; then fail "the handler holds the path $path"; fi
done
echo "$version: $bytes bytes, needs glibc $highest and ${needed//$'\n'/, }"

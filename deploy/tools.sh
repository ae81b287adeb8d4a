#!/usr/bin/env bash
# Installs the tools of requirements files into target/tools, where package.sh and check-templates.sh expect them, and
# the one that sbom.sh needs. Nothing outside of target/ is touched, except that Python itself is installed where CI runs
# as root.
# Usage: deploy/tools.sh package|check|bicep|sbom...
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# = 0 ]; then sed -n '5s/^# //p' "$0" >&2; exit 2; fi

# The registry of Python packages does not have it.
cyclonedx=0.5.9

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3 python3-venv >/dev/null
  else
    echo "Python 3 with venv is needed: apt-get install python3 python3-venv" >&2
    exit 1
  fi
fi

for name in "$@"; do
  if [ "$name" = sbom ]; then
    # Not optimised: compiling it takes longer than its one run.
    cargo install --quiet --locked --debug --root target/tools/sbom "cargo-cyclonedx@$cyclonedx"
    echo "target/tools/sbom: cargo-cyclonedx==$cyclonedx"
    continue
  fi
  requirements=deploy/requirements-$name.txt
  venv=target/tools/$name
  if ! cmp -s "$requirements" "$venv/installed"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$venv/installed"
  fi
  echo "$venv: $(grep -v '^#' "$requirements" | paste -sd' ')"
done

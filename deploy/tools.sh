#!/usr/bin/env bash
# Installs the tools of one requirements file into target/tools, where package.sh and check-templates.sh look for
# them. Nothing outside of target/ is touched, except that Python itself is installed where CI runs as root.
# Usage: deploy/tools.sh package|check
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=deploy/requirements-${1:?usage: deploy/tools.sh package|check}.txt
test -r "$requirements"

if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3 python3-venv >/dev/null
  else
    echo "Python 3 with venv is needed: apt-get install python3 python3-venv" >&2
    exit 1
  fi
fi

venv=target/tools/$1
stamp=$venv/installed
if ! cmp -s "$requirements" "$stamp"; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$stamp"
fi
"$venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -i -E "^($(grep -v '^#' "$requirements" | sed 's/[=<>].*//' | paste -sd'|'))\b"

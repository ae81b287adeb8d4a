#!/usr/bin/env bash
# Tests release-notes.sh with a changelog of its own: a wrong section would be published under a version's name.
set -euo pipefail
cd "$(dirname "$0")/.."

changelog=$(mktemp)
trap 'rm -f "$changelog"' EXIT
cat >"$changelog" <<'MARKDOWN'
# Changelog

## Unreleased

- Not yet.

## 0.2.10 - 2026-12-24

- Ten.

### Fixed

- `## 0.2.1` in a line is no heading.

## 0.2.1

- One.

## 0.1.0

MARKDOWN

failed=0
# Arguments: the version, the exit code, and all that is printed.
expect() {
  local printed code=0
  printed=$(deploy/release-notes.sh "$1" "$changelog" 2>/dev/null) || code=$?
  if [ "$code" != "$2" ] || [ "$printed" != "$3" ]; then
    printf 'release-notes.sh %s: exit code %s, printed:\n%s\n' "$1" "$code" "$printed" >&2
    failed=1
  fi
}

expect 0.2.1 0 '- One.'
# shellcheck disable=SC2016 # Markdown's backticks
expect 0.2.10 0 '- Ten.

### Fixed

- `## 0.2.1` in a line is no heading.'
expect 0.1.0 1 ''        # an empty section
expect 0.2 2 ''          # no version
expect 0.3.0 1 ''        # no section
expect 0.2.1-rc.1 1 ''
expect Unreleased 2 ''
expect '0.2.1;id' 2 ''
expect '' 2 ''

[ "$failed" = 0 ] || exit 1
echo "release-notes.sh finds the section of a version"

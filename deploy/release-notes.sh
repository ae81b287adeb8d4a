#!/usr/bin/env bash
# Prints the section of the changelog for a version: the notes of its release.
# Usage: deploy/release-notes.sh VERSION [CHANGELOG]      such as 0.2.0, whose section starts with "## 0.2.0"
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-}
changelog=${2:-CHANGELOG.md}
# Semantic versioning's form: a tag is text that anyone with the right to push can choose.
if ! [[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
  sed -n '3s/^# //p' "$0" >&2
  exit 2
fi

# The heading is the version alone, or with a date after it: "## 0.2.0 - 2026-12-01".
notes=$(awk -v version="$version" '
  /^## / { inside = ($2 == version) }
  inside && !/^## / { print }
' "$changelog" | sed -e '/./,$!d')
if [ -z "$notes" ]; then
  echo "$changelog has no section \"## $version\", or it is empty" >&2
  exit 1
fi
printf '%s\n' "$notes"

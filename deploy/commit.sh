#!/usr/bin/env bash
# Prints the commit of these sources, shortened, and its time in seconds since 1970. `git archive`, which GitHub's source
# archives come from, writes both into archived-commit.txt. Without it and without Git: "unknown" and 1980.
set -euo pipefail
cd -P "$(dirname "$0")/.."

read -r commit at <deploy/archived-commit.txt
# shellcheck disable=SC2016 # not expanded: git archive replaces it
case "$commit" in
  '$Format'*)
    # The folder may belong to another user, as in a container of CI.
    git() { command git -c safe.directory="$PWD" "$@" 2>/dev/null; }
    # A repository around an unpacked archive is another project's.
    if [ "$(git rev-parse --show-toplevel)" = "$PWD" ]; then
      read -r commit at < <(git log -1 --format='%H %ct')
      commit=${commit:0:12}
      git diff --quiet HEAD -- || commit+=-modified
    else
      commit=unknown at=315532800
    fi
    ;;
  *) commit=${commit:0:12} ;;
esac
echo "$commit $at"

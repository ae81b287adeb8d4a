#!/usr/bin/env bash
# Checks the deployment files: the Bicep files parse, main.json is the same, checkov reports nothing that checkov.yaml does
# not exclude, the linters of shell scripts, Dockerfile and workflows pass, and the script for release notes works.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=target/tools/check/bin
bicep=target/tools/bicep/bin
if ! [ -x "$bin/checkov" ] || ! "$bicep/python" -c 'import pycep' 2>/dev/null; then
  echo "the checkers are missing: deploy/tools.sh check bicep installs them into target/tools, from PyPI" >&2
  exit 1
fi

"$bicep/python" deploy/templates.py compare

rm -rf target/templates
"$bin/python" deploy/templates.py flatten target/templates
# It asks its vendor's service for texts and continues without them.
"$bin/checkov" --config-file deploy/checkov.yaml --directory target/templates --output cli --output json \
  --output-file-path console,target/templates/checkov.json 2>target/templates/checkov.log \
  || { cat target/templates/checkov.log >&2; exit 1; }
"$bin/python" - target/templates/checkov.json <<'PYTHON'
import json, sys
summary = json.load(open(sys.argv[1]))["summary"]
print("checkov:", {key: summary[key] for key in ("passed", "failed", "skipped", "parsing_errors")})
# It passes on files that it could not read.
assert summary["passed"] >= 25 and not summary["parsing_errors"], "checkov could not read the templates"
PYTHON

"$bin/shellcheck" deploy/*.sh docs/*.sh .ci/run
"$bin/hadolint" deploy/Dockerfile
"$bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$bin/check-jsonschema" --builtin-schema vendor.dependabot .github/dependabot.yml
# Offline, so it cannot ask GitHub whether a pinned commit is the tag beside it.
"$bin/zizmor" --offline --quiet --no-progress .github

deploy/check-release-notes.sh

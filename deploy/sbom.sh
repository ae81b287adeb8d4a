#!/usr/bin/env bash
# Writes target/package/alert-packet-capture.cdx.json: a CycloneDX 1.5 list of the crates in the executable that
# deploy/package.sh built, with their versions, licences and checksums. The same sources give the same bytes.
set -euo pipefail
cd -P "$(dirname "$0")/.."

target=x86_64-unknown-linux-gnu
built=target/$target/release/handler
tool=target/tools/sbom/bin/cargo-cyclonedx
fail() { printf '%s\n' "$@" >&2; exit 1; }

[ -x "$tool" ] || fail "cargo-cyclonedx is missing: deploy/tools.sh sbom installs it into target/tools, from the crates registry"
[ -f "$built" ] || fail "$built is missing: deploy/package.sh builds it"

read -r commit at < <(deploy/commit.sh)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$at}

# It writes a file beside the manifest of each package that has an executable.
remove() { find . -path ./target -prune -o -name '*_bin.cdx.json' -exec rm {} +; }
trap remove EXIT
"$tool" cyclonedx --quiet --manifest-path Cargo.toml --format json --describe binaries --target $target --spec-version 1.5

# It reports the crates and features of the whole workspace, the sandbox's and the tests' too. Cargo's own tree says which
# of them the executable is built from.
cargo tree --locked --package alert-packet-capture --edges normal,build --target $target --prefix none --format '{p}' \
  | python3 -c '
import hashlib, json, pathlib, sys

source, built, out = map(pathlib.Path, sys.argv[1:4])
folder, commit = sys.argv[4:]
tree = {(line.split()[0], line.split()[1].removeprefix("v")) for line in sys.stdin if line.strip()}
# The tool writes the folder of the sources into names.
bom = json.loads(source.read_text().replace(f"file://{folder}", "file://."))
top = bom["metadata"]["component"]
bom["components"] = [it for it in bom["components"] if (it["name"], it["version"]) in tree]
kept = {it["bom-ref"] for it in bom["components"]} | {top["bom-ref"]}
bom["dependencies"] = [{**it, "dependsOn": [ref for ref in it.get("dependsOn", []) if ref in kept]}
                       for it in bom["dependencies"] if it["ref"] in kept]
top["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(built.read_bytes()).hexdigest()}]
bom["metadata"]["properties"].append({"name": "commit", "value": commit})

listed = {(it["name"], it["version"]) for it in bom["components"]} | {("alert-packet-capture", top["version"])}
if listed != tree:
    sys.exit(f"wrong list: missing or too many are {sorted(listed ^ tree)}")
if nameless := [it["name"] for it in bom["components"] if not it.get("licenses")]:
    sys.exit(f"no licence is known of {nameless}")
part = out.with_suffix(".part")
part.write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n")
part.replace(out)
print(f"{out}: {len(kept) - 1} crates")
' handler_bin.cdx.json "$built" target/package/alert-packet-capture.cdx.json "$PWD" "$commit"

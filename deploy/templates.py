#!/usr/bin/env python3
"""Checks that main.json is the same as main.bicep, and flattens main.json for checkers.

    templates.py compare       parameters, resources, api versions, properties, outputs, roles
    templates.py flatten DIR   each nested template of main.json as a file that checkov reads

There is no Bicep compiler in the registries that CI may use, so main.json is maintained by hand and compared here. Where
the Bicep CLI is installed, `az bicep build --file deploy/main.bicep --outfile deploy/main.json` writes it as well.
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
LIMITS = {"allowed": "allowedValues", "min_value": "minValue", "max_value": "maxValue",
          "min_length": "minLength", "max_length": "maxLength"}
wrong = []


def is_expression(value):
    return isinstance(value, str) and value.startswith("[") and not value.startswith("[[")


def computed(node):
    """Whether a value of Bicep's tree is a call or an operator, so that it is an expression in JSON."""
    return isinstance(node, dict) and set(node) in ({"function"}, {"operator"}, {"type", "detail"})


def same(node, value, names, at):
    """Literals must be equal, all else must be an expression. The tree does not distinguish a name from a literal."""
    if computed(node) or (isinstance(node, str) and ("${" in node or node in names)):
        if not is_expression(value) and value != node:
            wrong.append(f"{at}: {value!r} should be an expression")
    elif isinstance(node, dict) and isinstance(value, dict):
        plain = {key.strip("'"): inner for key, inner in node.items() if "${" not in key}
        theirs = {key for key in value if not is_expression(key)}
        if set(plain) != theirs or len(node) != len(value):
            wrong.append(f"{at}: members {sorted(plain)} in Bicep, {sorted(theirs)} in JSON")
        for key in set(plain) & theirs:
            same(plain[key], value[key], names, f"{at}.{key}")
    elif isinstance(node, list) and isinstance(value, list):
        if len(node) != len(value):
            wrong.append(f"{at}: {len(node)} items in Bicep, {len(value)} in JSON")
        for index, (left, right) in enumerate(zip(node, value)):
            same(left, right, names, f"{at}[{index}]")
    elif node != value:
        wrong.append(f"{at}: {node!r} in Bicep, {value!r} in JSON")


def literals(node, names):
    """All texts in a tree that are neither names nor hold any."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key not in ("decorators", "type", "file_path"):
                yield from literals(inner, names)
    elif isinstance(node, list):
        for inner in node:
            yield from literals(inner, names)
    elif isinstance(node, str) and "${" not in node and node not in names:
        yield node


def compare_declared(kind, bicep, template, names, at):
    theirs = template.get(kind, {})
    if set(bicep) != set(theirs):
        wrong.append(f"{at}: {kind} {sorted(bicep)} in Bicep, {sorted(theirs)} in JSON")
    for name in set(bicep) & set(theirs):
        node, value, here = bicep[name], theirs[name], f"{at}.{kind}.{name}"
        decorators = {it["type"]: it.get("argument") for it in node["decorators"]}
        secure = {"string": "secureString", "object": "secureObject"}
        expected = secure[node["type"]] if "secure" in decorators else node["type"]
        if value["type"].lower() != expected.lower():
            wrong.append(f"{here}: type {expected} in Bicep, {value['type']} in JSON")
        if decorators.get("description") != value.get("metadata", {}).get("description"):
            wrong.append(f"{here}: the descriptions differ")
        for ours, json_name in LIMITS.items():
            if decorators.get(ours) != value.get(json_name):
                wrong.append(f"{here}: {ours} {decorators.get(ours)} in Bicep, {value.get(json_name)} in JSON")
        if kind == "parameters":
            if (node.get("default") is None) != ("defaultValue" not in value):
                wrong.append(f"{here}: a default in one of the two only")
            elif "defaultValue" in value:
                same(node["default"], value["defaultValue"], names, here)


def body(config):
    """The members of a resource, without the condition or loop around it."""
    return config["config"] if "config" in config else config


def compare(path, template, at):
    tree = BicepParser().parse(file_path=path)
    part = {kind: tree.get(kind) or {} for kind in ("parameters", "variables", "resources", "modules", "outputs")}
    names = set().union(*(part[kind] for kind in ("parameters", "variables", "resources", "modules")))
    compare_declared("parameters", part["parameters"], template, names, at)
    compare_declared("outputs", part["outputs"], template, names, at)

    resources = template["resources"]
    expected = {**part["resources"], **part["modules"]}
    if set(expected) != set(resources):
        wrong.append(f"{at}: resources {sorted(expected)} in Bicep, {sorted(resources)} in JSON")
        return
    for name, resource in resources.items():
        node, here = expected[name], f"{at}.{name}"
        config, members = node["config"], body(node["config"])
        loop = config.get("loop_type") if "config" in config else None
        local = names | ({loop["detail"]["item_name"]} if loop else set())
        if bool(loop) != ("copy" in resource):
            wrong.append(f"{here}: a loop in one of the two only")
        if bool("config" in config and config.get("condition")) != ("condition" in resource):
            wrong.append(f"{here}: a condition in one of the two only")
        if not set(members.get("dependsOn", [])) <= set(resource.get("dependsOn", [])):
            wrong.append(f"{here}: dependsOn lacks some of {members['dependsOn']}")
        if name in part["modules"]:
            given = {key: it["value"] for key, it in resource["properties"]["parameters"].items()}
            same(members["params"], given, local, f"{here}.params")
            compare(path.parent / node["detail"]["path"], resource["properties"]["template"], here)
            continue
        if (node["type"], node["api_version"]) != (resource["type"], resource["apiVersion"]):
            wrong.append(f"{here}: {node['type']}@{node['api_version']} in Bicep, "
                         f"{resource['type']}@{resource['apiVersion']} in JSON")
        if bool(node["existing"]) != bool(resource.get("existing")):
            wrong.append(f"{here}: existing in one of the two only")
        if ("scope" in members) != ("scope" in resource):
            wrong.append(f"{here}: a scope in one of the two only")
        aside = {"name", "scope", "parent", "dependsOn", "existing", "type", "apiVersion", "copy", "condition"}
        same({key: it for key, it in members.items() if key.strip("'") not in aside},
             {key: it for key, it in resource.items() if key not in aside}, local, here)
    text = json.dumps(template, ensure_ascii=False)
    for literal in literals([it["value"] for it in part["variables"].values()], names):
        if len(literal) > 3 and json.dumps(literal, ensure_ascii=False)[1:-1] not in text:
            wrong.append(f"{at}: {literal!r} of a variable in Bicep is not in JSON")
    for name, variable in part["variables"].items():
        call = variable["value"].get("function", {}) if isinstance(variable["value"], dict) else {}
        if call.get("type") == "load_json_content":
            role = json.loads((path.parent / call["parameters"]["file_path"]).read_text())
            if template["variables"].get(name) != role:
                wrong.append(f"{at}: {call['parameters']['file_path']} is not the variable {name} in JSON")


def flatten(template, name, folder):
    resources = list(template["resources"].values())
    for symbol, resource in template["resources"].items():
        inner = resource.get("properties", {}).get("template")
        if inner:
            flatten(inner, symbol, folder)
    # Symbolic names mean nothing in a list.
    listed = [{key: value for key, value in it.items() if key != "dependsOn"} for it in resources if not it.get("existing")]
    flat = {**template, "resources": listed}
    del flat["languageVersion"]
    (folder / f"{name}.json").write_text(json.dumps(flat, indent=2))


template = json.loads((FOLDER / "main.json").read_text())
match sys.argv[1:]:
    case ["compare"]:
        from pycep import BicepParser

        compare(FOLDER / "main.bicep", template, "main")
        if wrong:
            sys.exit("main.json is not what main.bicep says:\n" + "\n".join(wrong))
        print("main.json is the same as main.bicep")
    case ["flatten", folder]:
        target = pathlib.Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        flatten(template, "main", target)
    case _:
        sys.exit(__doc__)

//! The command line of `handler doctor`. Pure.

use crate::resource_id::ResourceId;

pub const USAGE: &str =
    "usage: handler doctor [--json] [--subscription ID]... [--vm ID]... [--no-color]";

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    pub json: bool,
    pub no_color: bool,
    pub subscriptions: Vec<ResourceId>,
    pub machines: Vec<ResourceId>,
}

/// # Errors
/// A sentence about the argument that is wrong.
pub fn parse(arguments: &[String]) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            inline
                .or_else(|| rest.next().map(String::as_str))
                .ok_or_else(|| format!("{name} needs an id"))
        };
        match (name, inline) {
            ("--json", None) => parsed.json = true,
            ("--no-color" | "--no-colour", None) => parsed.no_color = true,
            ("--subscription", _) => parsed.subscriptions.push(subscription(value()?)?),
            ("--vm", _) => parsed.machines.push(machine(value()?)?),
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(parsed)
}

/// A GUID, with or without `/subscriptions/` before it.
fn subscription(text: &str) -> Result<ResourceId, String> {
    let guid = text.strip_prefix("/subscriptions/").unwrap_or(text);
    match ResourceId::parse(&format!("/subscriptions/{guid}")) {
        Ok(id) if id.subscription_id() == id => Ok(id),
        Ok(_) => Err("--subscription takes the GUID of a subscription".to_owned()),
        Err(error) => Err(format!("--subscription: {error}")),
    }
}

fn machine(text: &str) -> Result<ResourceId, String> {
    match ResourceId::parse(text) {
        Ok(id) if id.is_type("Microsoft.Compute/virtualMachines") => Ok(id),
        Ok(_) => Err("--vm takes the id of a virtual machine".to_owned()),
        Err(error) => Err(format!("--vm: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";

    #[test]
    fn arguments_follow_the_table() {
        let vm = format!(
            "/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
        );
        let set = vm.replace("virtualMachines", "virtualMachineScaleSets");
        let inline = format!("--vm={vm}");
        for (arguments, good) in [
            (vec![], true),
            (vec!["--json", "--no-color"], true),
            (vec!["--subscription", SUB, "--vm", &vm, "--vm", &vm], true),
            (vec![inline.as_str()], true),
            (vec!["--subscription"], false),
            (vec!["--subscription", "prod"], false),
            (vec!["--subscription", &vm], false),
            (vec!["--vm", &set], false),
            (vec!["--vm", "web-01"], false),
            (vec!["--json=1"], false),
            (vec!["--fix"], false),
            (vec!["web-01"], false),
        ] {
            let owned: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(parse(&owned).is_ok(), good, "{arguments:?}");
        }
    }
}

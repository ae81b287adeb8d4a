//! The resource name of our captures. `{vm}` and `{rule}` in it give each machine or each rule a capture of its
//! own, so that several run side by side on a network watcher.

use crate::alert::{Target, TargetKind};
use aws_lc_rs::digest::{Context, SHA256};

/// The longest legal name.
/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork>
const LONGEST: usize = 80;
/// Hexadecimal digits that keep two names apart whose texts were cut or cleaned alike.
const HASH_DIGITS: usize = 8;
const VM: &str = "{vm}";
const RULE: &str = "{rule}";

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureName {
    template: String,
}

impl Default for CaptureName {
    /// The original's.
    fn default() -> Self {
        Self {
            template: "PSAzureFunction".to_owned(),
        }
    }
}

impl CaptureName {
    /// # Errors
    /// What a name is expected to be.
    pub fn parse(template: &str) -> Result<Self, &'static str> {
        let literal = template.replace(VM, "").replace(RULE, "");
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !(1..=LONGEST).contains(&template.len())
            || !literal.chars().all(legal)
            || !template.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return Err(
                "1 to 80 letters, digits, '_', '.' or '-', a letter or digit first and a letter, digit or '_' last; {vm} and {rule} may follow the first of them",
            );
        }
        let name = Self {
            template: template.to_owned(),
        };
        if name.is_fixed() {
            return match template.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                true => Ok(name),
                false => Err("a name that ends with a letter, a digit or '_'"),
            };
        }
        // What is left beside the hash must hold a few letters of a machine's name.
        if literal.len() > LONGEST - HASH_DIGITS - 1 - 15 {
            return Err("at most 56 characters beside {vm} and {rule}");
        }
        Ok(name)
    }

    /// Whether all captures have the same name.
    pub fn is_fixed(&self) -> bool {
        !self.template.contains(VM) && !self.template.contains(RULE)
    }

    /// The name of a capture of this target for this rule.
    pub fn of(&self, target: &Target, rule: Option<&str>) -> String {
        if self.is_fixed() {
            return self.template.clone();
        }
        let rule = rule.unwrap_or_default();
        let filled = self
            .template
            .replace(VM, &clean(&machine(target)))
            .replace(RULE, &clean(rule));
        let mut cut: String = filled.chars().take(LONGEST - HASH_DIGITS - 1).collect();
        cut.truncate(cut.trim_end_matches(['-', '.', '_']).len());
        let mut hash = Context::new(&SHA256);
        if self.template.contains(VM) {
            hash.update(target.id.to_string().to_lowercase().as_bytes());
        }
        hash.update(&[0]);
        if self.template.contains(RULE) {
            hash.update(rule.to_lowercase().as_bytes());
        }
        let digits: String = hash
            .finish()
            .as_ref()
            .iter()
            .take(HASH_DIGITS / 2)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{cut}-{digits}")
    }

    /// Whether a capture of this name is one of ours: the fixed name, or what the template makes of some target.
    /// The placeholders' text is not known any more, the hash's form is.
    pub fn bears(&self, name: &str) -> bool {
        if self.is_fixed() {
            return name.eq_ignore_ascii_case(&self.template);
        }
        let name = name.to_ascii_lowercase();
        let first = [VM, RULE]
            .iter()
            .filter_map(|placeholder| self.template.find(placeholder))
            .min()
            .unwrap_or_default();
        let Some((text, hash)) = name.rsplit_once('-') else {
            return false;
        };
        hash.len() == HASH_DIGITS
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
            && format!("{text}-").starts_with(&self.template[..first].to_ascii_lowercase())
    }

    /// As it was set.
    pub fn template(&self) -> &str {
        &self.template
    }
}

/// A machine's name; an instance of a scale set has its set's before it.
fn machine(target: &Target) -> String {
    let name = target.id.name().unwrap_or_default();
    match (target.kind, target.id.parent()) {
        (TargetKind::ScaleSetInstance, Some(set)) => {
            format!("{}-{name}", set.name().unwrap_or_default())
        }
        _ => name.to_owned(),
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            '_' | '.' => c,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        let id = format!(
            "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Compute/{name}"
        );
        Target::of(id.parse().unwrap()).unwrap()
    }

    #[test]
    fn templates_are_checked() {
        let long = "a".repeat(81);
        for (template, good) in [
            ("PSAzureFunction", true),
            ("PSAzureFunction-{vm}", true),
            ("a{rule}", true),
            ("apc_{vm}.{rule}", true),
            ("", false),
            (&long, false),
            ("-a", false),
            ("a-", false),
            ("{vm}", false),
            ("a{vm", false),
            ("a{host}", false),
            ("a b", false),
            (&format!("{}{{vm}}", "a".repeat(57)), false),
        ] {
            assert_eq!(CaptureName::parse(template).is_ok(), good, "{template}");
        }
    }

    #[test]
    fn names_are_legal_stable_and_apart() {
        let name = CaptureName::parse("PSAzureFunction-{vm}").unwrap();
        let web = target("virtualMachines/web-01");
        assert_eq!(name.of(&web, Some("r")), "PSAzureFunction-web-01-42f11a16");
        assert_eq!(name.of(&web, None), name.of(&web, Some("another rule")));
        assert_eq!(
            name.of(&web, None),
            name.of(&target("VIRTUALMACHINES/web-01"), None)
        );
        let instance = target("virtualMachineScaleSets/pool/virtualMachines/3");
        assert!(
            name.of(&instance, None)
                .starts_with("PSAzureFunction-pool-3-")
        );
        let both = CaptureName::parse("x-{rule}-{vm}").unwrap();
        let long = "ü very/long".repeat(50);
        let one = both.of(&web, Some(&long));
        assert!(
            one.len() <= LONGEST && CaptureName::parse(&one).is_ok(),
            "{one}"
        );
        assert_ne!(one, both.of(&web, Some(&format!("{long}!"))));
        assert_ne!(one, both.of(&target("virtualMachines/web-02"), Some(&long)));
        assert!(both.bears(&one) && both.bears(&one.to_uppercase()));
    }

    #[test]
    fn only_our_names_are_ours() {
        let fixed = CaptureName::parse("PSAzureFunction").unwrap();
        let by_machine = CaptureName::parse("PSAzureFunction-{vm}").unwrap();
        for (name, is_fixed, is_by_machine) in [
            ("psazurefunction", true, false),
            ("PSAzureFunction-web-01-0a0e4e94", false, true),
            ("PSAzureFunction-0a0e4e94", false, true),
            ("PSAzureFunction-web-01", false, false),
            ("PSAzureFunction-web-01-0a0e4e9g", false, false),
            ("PSAzure-web-01-0a0e4e94", false, false),
            ("", false, false),
        ] {
            assert_eq!(fixed.bears(name), is_fixed, "{name}");
            assert_eq!(by_machine.bears(name), is_by_machine, "{name}");
        }
    }
}

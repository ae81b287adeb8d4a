//! The resource name of our captures. `{vm}` and `{rule}` in it give each machine or each rule a capture of its
//! own, so that several run side by side on a network watcher.

use super::drill::PREFIX;
use crate::alert::{Target, TargetKind};
use aws_lc_rs::digest::{Context, SHA256};

/// The longest legal name.
/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork>
const LONGEST: usize = 80;
/// Hexadecimal digits that keep two names apart whose texts were cut or cleaned alike.
const HASH_DIGITS: usize = 8;
const VM: &str = "{vm}";
const RULE: &str = "{rule}";

/// The template of a capture's resource name, checked: `{vm}` and `{rule}` stand for the machine and the rule.
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
        if template.to_ascii_lowercase().starts_with(PREFIX) {
            return Err("another beginning than that of drills, apc-drill-");
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

    /// That of drills: one name a machine, so that no more than one finished session of a drill is left there.
    pub fn of_drills() -> Self {
        Self {
            template: format!("{PREFIX}{VM}"),
        }
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
            hash.update(target.id.to_string().to_ascii_lowercase().as_bytes());
        }
        hash.update(&[0]);
        if self.template.contains(RULE) {
            hash.update(rule.to_ascii_lowercase().as_bytes());
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

    /// Whether this function made this name for this target: the fixed name, or the same hash. A rule's name is not
    /// known any more; it is read back from the name, where only spaces and legal characters stand in it. What cannot be
    /// proven is another's.
    pub fn made(&self, name: &str, target: &Target) -> bool {
        if self.is_fixed() {
            return name.eq_ignore_ascii_case(&self.template);
        }
        let rules = match self.template.contains(RULE) {
            true => self.rules_in(name, target),
            false => vec![String::new()],
        };
        rules
            .iter()
            .any(|rule| self.of(target, Some(rule)).eq_ignore_ascii_case(name))
    }

    /// What stands in a name in the rule's place, as it is and with spaces for hyphens.
    fn rules_in(&self, name: &str, target: &Target) -> Vec<String> {
        let template = self.template.replace(VM, &clean(&machine(target)));
        let (Some((text, _)), Some((before, behind))) =
            (name.rsplit_once('-'), template.split_once(RULE))
        else {
            return Vec::new();
        };
        let text = text.to_ascii_lowercase();
        let rule = text
            .strip_prefix(&before.to_ascii_lowercase())
            .and_then(|rest| rest.strip_suffix(&behind.to_ascii_lowercase()));
        match rule {
            Some(rule) => vec![rule.to_owned(), rule.replace('-', " ")],
            None => Vec::new(),
        }
    }

    /// The template as it was set.
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
            ("APC-drill-{vm}", false),
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
        // Groups that differ in a Kelvin sign are two, and so are rules.
        let id = |group: &str| {
            let id = web.id.to_string();
            let id = id.replace("resourceGroups/g/", &format!("resourceGroups/{group}/"));
            Target::of(id.parse().unwrap()).unwrap()
        };
        assert_ne!(name.of(&id("\u{212a}"), None), name.of(&id("k"), None));
        assert_eq!(name.of(&id("K"), None), name.of(&id("k"), None));
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
    }

    #[test]
    fn a_name_is_this_function_s_when_its_hash_is() {
        let name = |template: &str| CaptureName::parse(template).unwrap();
        let (fixed, by_machine) = (name("PSAzureFunction"), name("apc-{vm}"));
        let (by_rule, both) = (name("apc-{rule}"), name("apc-{vm}.{rule}"));
        let (web, sql) = (
            target("virtualMachines/web-01"),
            target("virtualMachines/sql"),
        );
        for (template, made, of, expected) in [
            (&fixed, "psazurefunction".to_owned(), &web, true),
            (&fixed, "PSAzureFunction2".to_owned(), &web, false),
            (&by_machine, by_machine.of(&web, None), &web, true),
            (
                &by_machine,
                by_machine.of(&web, None).to_uppercase(),
                &web,
                true,
            ),
            (&by_machine, by_machine.of(&web, None), &sql, false),
            // Eight digits at the end of another's name look like a hash.
            (&by_machine, "apc-incident-20261120".to_owned(), &web, false),
            (&by_machine, "apc-web-01-20261120".to_owned(), &web, false),
            (&by_rule, by_rule.of(&web, Some("High CPU")), &web, true),
            (&by_rule, by_rule.of(&web, Some("net-in")), &sql, true),
            (&by_rule, by_rule.of(&web, Some("CPU > 80 %")), &web, false),
            (&both, both.of(&web, Some("High CPU")), &web, true),
            (&both, both.of(&web, Some("High CPU")), &sql, false),
            (&both, "apc-incident-20261120".to_owned(), &web, false),
            (&both, String::new(), &web, false),
        ] {
            assert_eq!(template.made(&made, of), expected, "{made}");
        }
    }
}

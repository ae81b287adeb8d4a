//! What the owner of the function allows to be captured. The body of a webhook never decides that: log data can be
//! written by the machine that it is about.

use super::Reason;
use crate::{
    alert::{Alert, Target},
    resource_id::ResourceId,
};

/// Empty lists allow everything.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Subscriptions, resource groups or resources.
    pub scopes: Vec<ResourceId>,
    /// Alert rule names; `*` stands for any text.
    pub rules: Vec<String>,
    /// Signals: Metric, Log, Activity Log.
    pub signals: Vec<String>,
}

/// The targets that may be captured, and the others.
type Split = (Vec<Target>, Vec<Target>);

impl Allowed {
    /// Splits the targets of an alert into those within the allowed scopes and those outside.
    ///
    /// # Errors
    /// Why nothing of the alert is allowed.
    pub fn among(&self, alert: &Alert) -> Result<Split, Reason> {
        let rule = alert.facts.rule.as_deref().unwrap_or_default();
        // A drill stands for any rule. Where captures may be made, it does not decide either.
        let by_rule = !alert.is_drill();
        if by_rule
            && !self.rules.is_empty()
            && !self.rules.iter().any(|pattern| matches(pattern, rule))
        {
            return Err(Reason::RuleNotAllowed);
        }
        let signal = alert.facts.signal.as_deref().unwrap_or_default();
        if by_rule
            && !self.signals.is_empty()
            && !self.signals.iter().any(|known| same_signal(known, signal))
        {
            return Err(Reason::SignalNotAllowed);
        }
        let targets = alert.targets.iter().cloned();
        let (inside, outside): Split = targets.partition(|target| self.allows(&target.id));
        match inside.is_empty() {
            true => Err(Reason::ScopeNotAllowed),
            false => Ok((inside, outside)),
        }
    }

    fn allows(&self, target: &ResourceId) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|scope| scope.contains(target))
    }
}

/// "Activity Log" and "ActivityLog" both occur.
pub(super) fn same_signal(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.replace(' ', "");
    letters(a).eq_ignore_ascii_case(&letters(b))
}

/// Whether the text is as the pattern says, in which `*` stands for any text. Without ASCII case, as Azure compares
/// resource names and actions: a Kelvin sign is no k. Time grows with pattern times text at the worst.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_follow_the_table() {
        for (pattern, text, expected) in [
            ("net-in", "net-in", true),
            ("NET-in", "net-IN", true),
            ("net-in", "net-in-high", false),
            ("net-*", "net-in", true),
            ("*-high", "net-in-high", true),
            ("net*high", "net-in-high", true),
            ("net*high", "net-high-low", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("*in*", "net-in-high", true),
            ("", "x", false),
            // The Kelvin sign and the dotted I: Unicode's lower case would make them an ASCII k and i.
            ("disk-*", "dis\u{212a}-full", false),
            ("disk-*", "DISK-full", true),
            ("net-in*", "NET-\u{130}N", false),
            ("größe-*", "Größe-1", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn rules_signals_and_scopes_narrow() {
        const SUB: &str = "/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee";
        let alert = |ids: &[&str]| {
            let ids: Vec<String> = ids
                .iter()
                .map(|id| format!("{SUB}/resourceGroups/{id}"))
                .collect();
            let body = serde_json::json!({
                "schemaId": "azureMonitorCommonAlertSchema",
                "data": { "essentials": {
                    "alertRule": "Net-In", "signalType": "ActivityLog", "monitorCondition": "Fired",
                    "alertTargetIDs": ids,
                }}
            });
            crate::alert::read(body.to_string().as_bytes()).unwrap()
        };
        let web = "rg-web/providers/Microsoft.Compute/virtualMachines/web-01";
        let data = "rg-data/providers/Microsoft.Compute/virtualMachines/sql-01";
        let allowed = |scopes: &[&str], rules: &[&str], signals: &[&str]| Allowed {
            scopes: scopes
                .iter()
                .map(|s| format!("{SUB}{s}").parse().unwrap())
                .collect(),
            rules: rules.iter().map(|s| s.to_string()).collect(),
            signals: signals.iter().map(|s| s.to_string()).collect(),
        };
        let both = alert(&[web, data]);
        for (allowed, expected) in [
            (allowed(&[], &[], &[]), Ok((2, 0))),
            (allowed(&["/resourceGroups/RG-Web"], &[], &[]), Ok((1, 1))),
            (
                allowed(&["/resourceGroups/rg-we"], &[], &[]),
                Err(Reason::ScopeNotAllowed),
            ),
            (allowed(&[""], &["net*"], &["Activity Log"]), Ok((2, 0))),
            (allowed(&[], &["cpu*"], &[]), Err(Reason::RuleNotAllowed)),
            (
                allowed(&[], &[], &["Activity\u{130}Log"]),
                Err(Reason::SignalNotAllowed),
            ),
            (
                allowed(&[], &[], &["Metric"]),
                Err(Reason::SignalNotAllowed),
            ),
        ] {
            let among = allowed.among(&both);
            let counted = among.map(|(inside, outside)| (inside.len(), outside.len()));
            assert_eq!(counted, expected);
        }
    }
}

//! An alert explained: the same reading and decision as a dry run's, for the command line.

use super::{
    answer::{Answer, TargetProfile},
    refusal::Refusal,
};
use crate::{
    alert::{Alert, BadBody},
    incident::{Allowed, Decision, Known, Policy, Profiles, decide},
    text,
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

/// What a dry run answers, before it is printed.
pub struct Explanation {
    answer: Result<Answer, Refusal>,
}

impl Explanation {
    /// What a function that allows this, and that knows of no other alert, does about an alert.
    pub fn of(
        read: Result<Alert, BadBody>,
        allowed: &Allowed,
        max_targets: usize,
        profiles: &Arc<Profiles>,
    ) -> Self {
        let policy = Policy {
            allowed: allowed.clone(),
            cooldown: Duration::ZERO,
            max_targets,
            capacity: usize::MAX,
            stop_on_resolved: false,
            dry_run: true,
            profiles: profiles.clone(),
        };
        let decide = |alert: Alert| {
            let decision = decide(
                &alert,
                &policy,
                &Known::default(),
                OffsetDateTime::now_utc(),
            );
            match decision {
                Decision::DryRun(reason, left_out) => {
                    Answer::dry_run(alert, reason, left_out, &policy)
                }
                // A dry run decides nothing else.
                _ => Answer::dry_run(alert, None, Vec::new(), &policy),
            }
        };
        Self {
            answer: read.map_err(Refusal::BadBody).map(decide),
        }
    }

    /// Whether the body is an alert at all.
    pub fn is_alert(&self) -> bool {
        self.answer.is_ok()
    }

    /// One line of JSON, as the function answers.
    pub fn to_json(&self) -> String {
        let json = match &self.answer {
            Ok(answer) => serde_json::to_string(answer),
            Err(refusal) => serde_json::to_string(&refusal.body()),
        };
        // Structs and texts alone, which always have a JSON form.
        json.unwrap_or_default()
    }

    /// The explanation as text for people.
    pub fn to_text(&self) -> String {
        let answer = match &self.answer {
            Ok(answer) => answer,
            Err(refusal) => return format!("  refused: {}", printable(&refusal.message())),
        };
        let alert = &answer.alert;
        let mut lines = vec![format!("  {}", answer.message)];
        let mut line = |label: &str, text: &str| {
            lines.push(format!("  {label:<12}{}", printable(text)));
        };
        for (label, text) in [
            ("schema", Some(alert.schema.as_str())),
            ("state", Some(alert.state.as_str())),
            ("rule", alert.facts.rule.as_deref()),
            ("alert id", alert.facts.id.as_deref()),
            ("signal", alert.facts.signal.as_deref()),
            ("severity", alert.facts.severity.as_deref()),
            ("fired", alert.facts.fired_at.as_deref()),
            ("region", alert.region.as_deref()),
            ("dedupe key", alert.dedupe_key.as_deref()),
        ] {
            line(label, text.unwrap_or("-"));
        }
        for target in &alert.targets {
            line(
                "target",
                &format!("{} ({})", target.id, target.kind.as_str()),
            );
        }
        let mut shown = Vec::new();
        for TargetProfile { target, profile } in &answer.profiles {
            if shown.contains(&profile) {
                continue;
            }
            shown.push(profile);
            let mut text = profile.in_words();
            if alert.targets.len() > 1 {
                text = format!("{text} on {}", target.short_name());
            }
            line("profile", &text);
            for note in &profile.notes {
                line("note", note);
            }
        }
        for entry in &answer.captures {
            line("left out", &entry.message());
        }
        lines.join("\n")
    }
}

/// Texts of an alert are foreign: no control character reaches a terminal.
fn printable(written: &str) -> String {
    text::clean(written, text::ID).into_owned()
}

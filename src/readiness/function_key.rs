//! Whether callers need a function key, as far as the app's files say: the keys themselves are the Functions host's.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-http-webhook-trigger#http-auth>

use super::{Group, Parts, Report};
use crate::config::Settings;
use serde::Deserialize;

const CHECK: &str = "function key";
const FILE: &str = "AlertPacketCapture/function.json";

/// The part of `function.json` that says what a caller needs.
#[derive(Deserialize)]
struct FunctionFile {
    #[serde(default)]
    bindings: Vec<Binding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    #[serde(rename = "type")]
    kind: String,
    auth_level: Option<String>,
    methods: Option<Vec<String>>,
}

pub fn check(parts: &Parts, settings: &Settings, report: &mut Report) {
    if parts.found.is_wrong(Group::SecureWebhook) {
        return report.skipped(CHECK, "the app settings of the secure webhook are invalid");
    }
    let path = parts.hosting.root.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let shown = path.display();
            return report.skipped(
                CHECK,
                format!("could not read {shown}: {error}; the Functions host sets FUNCTIONS_APP_ROOT_PATH to the app's folder"),
            );
        }
    };
    match judge(&text, settings.secure_webhook.is_some()) {
        Ok(good) => report.ok(CHECK, good),
        Err(bad) => report.failed(CHECK, bad, parts.hosting.publish(FILE)),
    }
}

/// What a `function.json` means for callers, good or bad.
fn judge(text: &str, secure_webhook: bool) -> Result<String, String> {
    // PowerShell and Visual Studio write a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let file: FunctionFile =
        serde_json::from_str(text).map_err(|error| format!("{FILE} is not valid: {error}"))?;
    let mut triggers = file.bindings.iter();
    let trigger = triggers
        .find(|binding| binding.kind.eq_ignore_ascii_case("httpTrigger"))
        .ok_or_else(|| format!("{FILE} has no httpTrigger: the function receives no alerts"))?;
    if let Some(methods) = &trigger.methods
        && !methods.iter().any(|it| it.eq_ignore_ascii_case("post"))
    {
        return Err(format!(
            "{FILE} does not allow POST, the method of action groups"
        ));
    }
    let level = trigger.auth_level.as_deref().unwrap_or("function");
    match level.to_ascii_lowercase().as_str() {
        "function" => Ok("required".to_owned()),
        "admin" => Ok("the master key is required".to_owned()),
        "anonymous" if secure_webhook => {
            Ok("not required; the secure webhook requires a token".to_owned())
        }
        "anonymous" => Err(format!(
            "authLevel in {FILE} is anonymous and there is no secure webhook: any caller can start captures; set it to function"
        )),
        _ => Err(format!(
            "the Functions host does not know the authLevel in {FILE}; set it to function"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_judged_by_the_table() {
        let file = |trigger: &str| format!(r#"{{"bindings":[{{"type":"http"}},{{{trigger}}}]}}"#);
        for (trigger, secure_webhook, good, words) in [
            (
                r#""type":"httpTrigger","authLevel":"function","methods":["post"]"#,
                false,
                true,
                "required",
            ),
            (r#""type":"httpTrigger""#, false, true, "required"),
            (
                r#""type":"HttpTrigger","authLevel":"Admin""#,
                false,
                true,
                "master key",
            ),
            (
                r#""type":"httpTrigger","authLevel":"anonymous""#,
                false,
                false,
                "any caller",
            ),
            (
                r#""type":"httpTrigger","authLevel":"Anonymous""#,
                true,
                true,
                "token",
            ),
            (
                r#""type":"httpTrigger","authLevel":"user""#,
                true,
                false,
                "does not know",
            ),
            (
                r#""type":"httpTrigger","methods":["GET"]"#,
                true,
                false,
                "POST",
            ),
            (r#""type":"queueTrigger""#, false, false, "no httpTrigger"),
            (r#""type":7"#, false, false, "not valid"),
        ] {
            let judged = judge(&file(trigger), secure_webhook);
            assert_eq!(judged.is_ok(), good, "{trigger}");
            let message = judged.unwrap_or_else(|bad| bad);
            assert!(message.contains(words), "{trigger}: {message}");
        }
        assert!(
            judge("\u{feff}{}", false)
                .unwrap_err()
                .contains("no httpTrigger")
        );
    }

    /// What is deployed is what is checked.
    #[test]
    fn the_deployed_file_requires_a_key() {
        let own = include_str!("../../AlertPacketCapture/function.json");
        assert_eq!(judge(own, false).unwrap(), "required");
    }
}

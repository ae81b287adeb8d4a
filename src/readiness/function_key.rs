//! Who may call the function, as far as it can be told from inside: the keys themselves are the Functions host's.
//! <https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-http-webhook-trigger#http-auth>

use super::{mend, report::Report};
use crate::config::AppSettings;
use serde::Deserialize;
use std::path::PathBuf;

const CHECK: &str = "function key";
const FILE: &str = "AlertPacketCapture/function.json";

/// The part of `function.json` that says who may call.
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

/// `secure_webhook`: whether callers need a token.
pub fn check(environment: &AppSettings, secure_webhook: bool, report: &mut Report) {
    let root = environment.get("FUNCTIONS_APP_ROOT_PATH").unwrap_or(".");
    let path = PathBuf::from(root).join(FILE);
    let publish = mend::publish(environment, FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let shown = path.display();
            return report.skipped(
                CHECK,
                format!("{shown} cannot be read ({error}); FUNCTIONS_APP_ROOT_PATH, which the Functions host sets, says where the app is"),
            );
        }
    };
    match judge(&text, secure_webhook) {
        Ok(good) => report.ok(CHECK, good),
        Err(bad) => report.failed(CHECK, bad, publish),
    }
}

/// What a `function.json` means for callers, good or bad.
fn judge(text: &str, secure_webhook: bool) -> Result<String, String> {
    // PowerShell and Visual Studio put a byte order mark in front.
    let text = text.trim_start_matches('\u{feff}');
    let file: FunctionFile = serde_json::from_str(text)
        .map_err(|error| format!("{FILE} is not well-formed: {error}"))?;
    let mut triggers = file.bindings.iter();
    let trigger = triggers
        .find(|binding| binding.kind.eq_ignore_ascii_case("httpTrigger"))
        .ok_or_else(|| format!("{FILE} has no httpTrigger: alerts cannot come in"))?;
    if let Some(methods) = &trigger.methods
        && !methods.iter().any(|it| it.eq_ignore_ascii_case("post"))
    {
        return Err(format!(
            "{FILE} does not let POST through, which is how alerts come"
        ));
    }
    let level = trigger.auth_level.as_deref().unwrap_or("function");
    match level.to_ascii_lowercase().as_str() {
        "function" => Ok("asked for".to_owned()),
        "admin" => Ok("only the master key will do".to_owned()),
        "anonymous" if secure_webhook => {
            Ok("not asked for; the secure webhook asks for a token".to_owned())
        }
        "anonymous" => Err(format!(
            "authLevel in {FILE} is anonymous and there is no secure webhook: anybody can start captures; set it to function"
        )),
        _ => Err(format!(
            "authLevel in {FILE} is none that the Functions host knows; set it to function"
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
                "asked for",
            ),
            (r#""type":"httpTrigger""#, false, true, "asked for"),
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
                "anybody",
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
                "none that",
            ),
            (
                r#""type":"httpTrigger","methods":["GET"]"#,
                true,
                false,
                "POST",
            ),
            (r#""type":"queueTrigger""#, false, false, "no httpTrigger"),
            (r#""type":7"#, false, false, "not well-formed"),
        ] {
            let judged = judge(&file(trigger), secure_webhook);
            assert_eq!(judged.is_ok(), good, "{trigger}");
            let told = judged.unwrap_or_else(|bad| bad);
            assert!(told.contains(words), "{trigger}: {told}");
        }
        assert!(
            judge("\u{feff}{}", false)
                .unwrap_err()
                .contains("no httpTrigger")
        );
    }

    /// What is deployed is what is checked.
    #[test]
    fn our_own_file_asks_for_a_key() {
        let own = include_str!("../../AlertPacketCapture/function.json");
        assert_eq!(judge(own, false).unwrap(), "asked for");
    }
}

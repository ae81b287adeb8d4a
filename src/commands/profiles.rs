//! `handler profiles suggest`: a profile that fits an alert, as app settings, with the reason. Nothing is sent to Azure.

use crate::{
    alert::{self, Alert},
    config,
    incident::{Suggestion, suggest},
    text,
};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Profiles: which alert gets which capture
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Suggest(Suggest),
}

/// Suggest a profile for an alert: app settings and why
///
/// The exit code is 0 when there is a suggestion or none is needed, 1 when the body is no alert, 2 when the file is not
/// readable.
#[derive(Debug, clap::Args)]
pub struct Suggest {
    /// Print a JSON array of names and values, as `az functionapp config appsettings set --settings @FILE` reads it
    #[arg(long)]
    json: bool,
    /// A file with the body of an alert; standard input when there is none
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub fn run(command: &Command) -> ExitCode {
    let Command::Suggest(arguments) = command;
    let file = arguments.file.as_deref();
    let name = file.map_or("standard input".into(), Path::to_string_lossy);
    let name = text::clean(&name, text::ID);
    let body = match super::explain::read(file) {
        Ok(body) => body,
        Err(error) => {
            eprintln!("error: could not read {name}: {error}");
            return ExitCode::from(2);
        }
    };
    let alert = match alert::read(&body) {
        Ok(alert) => alert,
        Err(error) => {
            eprintln!("error: {name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let suggestion = suggest(&alert);
    let printed = match (&suggestion, arguments.json) {
        (Some(suggestion), true) => as_json(suggestion),
        (None, true) => "[]\n".to_owned(),
        (Some(suggestion), false) => as_text(suggestion),
        (None, false) => nothing(&alert),
    };
    if let Err(message) = super::print(&printed) {
        eprintln!("error: {message}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

/// Names and values of the app settings.
fn settings(suggestion: &Suggestion) -> impl Iterator<Item = (String, &str)> {
    let name = |setting: &str| config::profile_setting(suggestion.name, setting);
    let settings = suggestion.settings.iter();
    settings.map(move |(setting, value)| (name(setting), value.as_str()))
}

fn as_json(suggestion: &Suggestion) -> String {
    let all = settings(suggestion);
    let all: Vec<_> = all
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    format!("{}\n", json!(all))
}

fn as_text(suggestion: &Suggestion) -> String {
    let mut text = format!("# {}\n", suggestion.reason);
    for (name, value) in settings(suggestion) {
        text.push_str(&format!("{name}={}\n", text::clean(value, text::ID)));
    }
    text
}

/// What the alert counts says nothing about packets.
fn nothing(alert: &Alert) -> String {
    let metrics = alert.facts.conditions.iter();
    let metrics: Vec<&str> = metrics.filter_map(|it| it.metric.as_deref()).collect();
    let counts = match metrics.is_empty() {
        true => "The alert names no metric".to_owned(),
        false => format!(
            "The alert counts {}",
            text::clean(&metrics.join(", "), text::MESSAGE)
        ),
    };
    format!(
        "# {counts}: no profile is suggested, and the default settings fit. Capture all packets, and the whole of each.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AppSettings, Settings};

    /// What is suggested is accepted at start, all of it together.
    #[test]
    fn suggested_settings_are_valid() {
        let mut all = Vec::new();
        for metric in [
            "ChecksFailedPercent",
            "DNS Queries Failed",
            "Connection Failures",
            "TCP Segments Retransmitted/sec",
            "Inbound Flows",
            "Network Out Total",
        ] {
            let body = json!({
                "schemaId": "azureMonitorCommonAlertSchema",
                "data": {
                    "essentials": { "monitorCondition": "Fired" },
                    "alertContext": { "condition": { "allOf": [{
                        "metricName": metric,
                        "dimensions": [
                            { "name": "DestinationAddress", "value": "10.1.2.3" },
                            { "name": "DestinationPort", "value": "1433" },
                        ],
                    }]}},
                },
            });
            let alert = alert::read(body.to_string().as_bytes()).unwrap();
            let suggestion = suggest(&alert).unwrap();
            all.extend(settings(&suggestion).map(|(name, value)| (name, value.to_owned())));
        }
        let all: AppSettings = all.into_iter().collect();
        let read = Settings::read_for_dry_run(&all).unwrap();
        let names: Vec<&str> = read.profiles.iter().map(|it| &*it.profile.name).collect();
        let order = [
            "probe",
            "dns",
            "connections",
            "segments",
            "flows",
            "traffic",
        ];
        assert_eq!(names, order);
    }
}

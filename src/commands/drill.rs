//! `handler drill`: starts a drill at the function, or at one that runs in this process, and prints each step with its time
//! until the verdict.

mod follow;
mod here;

use super::print;
use crate::{
    advice,
    alert::drill::is_machine,
    azure::{error::chain, transport},
    config::{AppSettings, Settings},
    incident::drill::{Drill, Verdict, seconds},
    resource_id::ResourceId,
    shell::ShellCommand,
    text,
};
use follow::{Followed, Function};
use serde_json::{Value, json};
use std::{io::Read, path::PathBuf, process::ExitCode};
use url::Url;

/// Maximum bytes of a function key on standard input.
const MOST_KEY: u64 = 4_096;

/// Send a synthetic alert through the function, and follow its 5-second capture to the notification
///
/// Prints each step with its time and a verdict; the exit code is 1 when the drill fails. Without --url the function runs in
/// this process, with the settings of the environment and its jobs in memory. The drill captures for 5 s, removes its own
/// finished session, and says what it leaves, such as the file.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The machine: a virtual machine, or an instance of a scale set
    #[arg(long = "vm", value_name = "ID", value_parser = machine)]
    machine: ResourceId,
    /// Address of the function app, such as https://NAME.azurewebsites.net
    #[arg(long, value_name = "URL", requires = "code")]
    url: Option<Url>,
    /// Function key of the app; - reads it from standard input, which keeps it out of the shell's history
    #[arg(long, value_name = "KEY", requires = "url")]
    code: Option<String>,
    /// Print the drill as one JSON value
    #[arg(long)]
    json: bool,
}

fn machine(text: &str) -> Result<ResourceId, String> {
    match ResourceId::parse(text) {
        Ok(id) if is_machine(&id) => Ok(id),
        Ok(_) => Err(
            "expected the resource id of a virtual machine or of an instance of a scale set"
                .to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    }
}

/// Exit code 0 when the drill passed, 1 when it failed, 2 when it could not be started.
pub fn run(arguments: &Arguments, settings: &AppSettings) -> ExitCode {
    let runtime = match super::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: could not start: {error}");
            return ExitCode::from(2);
        }
    };
    let followed = runtime.block_on(async {
        match &arguments.url {
            Some(url) => at(arguments, url, settings).await,
            None => {
                here::drill(settings, |function| async move {
                    follow(arguments, &function).await
                })
                .await
            }
        }
    });
    match followed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {}", text::clean(&message, 4 * text::MESSAGE));
            ExitCode::from(2)
        }
    }
}

/// A drill at a function elsewhere.
async fn at(arguments: &Arguments, url: &Url, settings: &AppSettings) -> Result<bool, String> {
    let ca_file = settings.get("SSL_CERT_FILE").map(PathBuf::from);
    let http = transport::http_client(ca_file.as_deref()).map_err(|error| chain(&error))?;
    let local = url
        .host_str()
        .is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !local {
        return Err("--url needs an https address: the function key goes there".to_owned());
    }
    let code = match arguments.code.as_deref() {
        Some("-") => key_of_input()?,
        code => code.unwrap_or_default().to_owned(),
    };
    follow(arguments, &Function::new(http, url.clone(), Some(code))).await
}

fn key_of_input() -> Result<String, String> {
    let mut key = String::new();
    let read = std::io::stdin().take(MOST_KEY).read_to_string(&mut key);
    read.map_err(|error| format!("could not read the function key: {error}"))?;
    Ok(key.trim().to_owned())
}

/// Whether the drill passed.
async fn follow(arguments: &Arguments, function: &Function) -> Result<bool, String> {
    let name = arguments.machine.short_name();
    if !arguments.json {
        print(&format!(
            "Drill on {name}: a synthetic alert and a capture of 5 s\n"
        ))?;
    }
    let mut printed: Vec<(&str, String)> = Vec::new();
    let followed = function
        .drill(&arguments.machine, |drill| {
            if arguments.json {
                return Ok(());
            }
            // Times of Azure's clock come late, and may belong before what is printed already.
            for mark in &drill.marks {
                let one = (mark.what, mark.text.clone());
                if !printed.contains(&one) {
                    print(&line(mark.after, mark.what, &mark.text, mark.failed))?;
                    printed.push(one);
                }
            }
            Ok(())
        })
        .await?;
    if arguments.json {
        print(&format!("{:#}\n", as_json(&arguments.machine, &followed)))?;
    } else {
        print(&ending(&arguments.machine, &followed))?;
    }
    Ok(followed.passed())
}

fn line(after: time::Duration, what: &str, text: &str, failed: bool) -> String {
    let after = seconds(after);
    let what = match failed {
        true => format!("FAILED: {what}"),
        false => what.to_owned(),
    };
    match text.is_empty() {
        true => format!("{after:>8}  {what}\n"),
        false => format!("{after:>8}  {what:<16} {text}\n"),
    }
}

/// The verdict, what is left, and what to do.
fn ending(machine: &ResourceId, followed: &Followed) -> String {
    let mut text = format!("{}\n", followed.sentence());
    if let Some(drill) = &followed.drill {
        for left in &drill.left {
            text += &format!("left: {left}\n");
        }
    }
    for fix in fixes(machine, followed) {
        text += &format!("fix: {fix}\n");
    }
    if let Some(page) = &followed.page {
        text += &format!("incident: {page}\n");
    }
    text
}

/// What to do about a failed drill: what the failure says itself, and the check that finds the cause.
fn fixes(machine: &ResourceId, followed: &Followed) -> Vec<String> {
    if followed.passed() {
        return Vec::new();
    }
    let mut fixes = Vec::new();
    if let Some(Drill {
        verdict: Verdict::Failed { code, fix, .. },
        ..
    }) = &followed.drill
    {
        fixes.extend(fix.clone());
        fixes.extend(code.as_deref().and_then(advice::for_code));
    }
    let doctor = ShellCommand::new("handler doctor").with("--vm", machine.to_string().as_str());
    fixes.push(doctor.to_string());
    fixes
}

fn as_json(machine: &ResourceId, followed: &Followed) -> Value {
    let drill = followed.drill.as_ref();
    let marks = drill
        .map(|drill| drill.marks.as_slice())
        .unwrap_or_default();
    let millis =
        |after: time::Duration| i64::try_from(after.whole_milliseconds()).unwrap_or(i64::MAX);
    let notified = match drill.map(|drill| &drill.verdict) {
        Some(Verdict::Passed { notified }) => notified.map(millis),
        _ => None,
    };
    json!({
        "machine": machine,
        "incident": followed.incident,
        "passed": followed.passed(),
        "verdict": followed.sentence(),
        "notifiedAfterMilliseconds": notified,
        "steps": marks.iter().map(|mark| json!({
            "afterMilliseconds": millis(mark.after),
            "what": mark.what,
            "text": mark.text,
            "failed": mark.failed,
        })).collect::<Vec<_>>(),
        "left": drill.map(|drill| &drill.left),
        "fix": fixes(machine, followed),
        "page": followed.page.as_ref().map(Url::as_str),
    })
}

/// The settings of a function that runs in this process for one drill: its jobs are in memory, and notifications link to no
/// page, since none is left afterwards.
fn settings_here(settings: &AppSettings) -> Result<Settings, String> {
    let settings = settings.without(&[
        "JobQueue__Kind",
        "Notification__PageBaseUrl",
        "WEBSITE_HOSTNAME",
    ]);
    Settings::read(&settings).map_err(|error| error.to_string())
}

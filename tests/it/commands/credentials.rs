//! `handler credentials`: a new key, an encrypted password, and the check that signs in with it.

use crate::support::azure::Azure;
use crate::support::folder::Folder;
use alert_packet_capture::config::secure_string;
use azure_sandbox::{Options, samples};
use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

/// Runs `handler credentials` with these settings alone.
fn handler(arguments: &[&str], pairs: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .arg("credentials")
        .args(arguments)
        .env_clear()
        .envs(pairs.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_new_key_encrypts_a_password_that_the_check_can_read() {
    let folder = Folder::new();
    let key = folder.path("New.key");
    let made = handler(&["new-key", &key], &[], "");
    assert!(made.status.success(), "{}", stderr(&made));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let first = fs::read(&key).unwrap();

    let again = handler(&["new-key", &key], &[], "");
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("--force"));
    assert_eq!(fs::read(&key).unwrap(), first, "not touched");

    let encrypted = handler(&["encrypt", "--key", &key], &[], "story~1.secret\r\n");
    let value = stdout(&encrypted);
    let value = value.strip_suffix('\n').expect("one line");
    assert!(secure_string::has_header(value) && !value.contains(char::is_whitespace));
    assert!(!value.contains("story~1") && stderr(&encrypted).is_empty());

    let old = [
        ("AzureTenant", "contoso.example"),
        ("AzureClientId", "5e0c9a51-9d4c-4c9f-9a35-0d8f2ad7ab3c"),
        ("AzureCredPassword", value),
        ("AzureCredKeyPath", &key),
    ];
    let checked = handler(&["check", "--offline"], &old, "");
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert!(stdout(&checked).contains("AzureCredPassword (decrypted with"));
    assert!(!stdout(&checked).contains("story~1"));

    let forced = handler(&["new-key", &key, "--force"], &[], "");
    assert!(forced.status.success());
    assert_ne!(fs::read(&key).unwrap(), first);
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        1,
        "no other file is left"
    );
    let checked = handler(&["check", "--offline"], &old, "");
    assert_eq!(checked.status.code(), Some(1));
    assert!(stderr(&checked).contains("AzureCredPassword: could not be decrypted"));

    let argument = handler(&["encrypt", "--key", &key, "story~1.secret"], &[], "");
    assert_eq!(argument.status.code(), Some(2));
    let empty = handler(&["encrypt", "--key", &key], &[], "\n");
    assert_eq!(empty.status.code(), Some(1));
}

#[tokio::test]
async fn the_check_signs_in_or_says_what_to_do() {
    let folder = Folder::new();
    let ca_file = folder.path("ca.pem");
    let options = Options {
        ca_file: Some(ca_file.clone().into()),
        ..Options::default()
    };
    let azure = Azure::with(options).await;
    let (key_file, key) = folder.with_key("a.key");
    let check = async |password: &str, client: &str| {
        let value = secure_string::encrypt(password, &key).unwrap();
        let (endpoint, client) = (azure.endpoint(), client.to_owned());
        let (ca_file, key_file) = (ca_file.clone(), key_file.clone());
        tokio::task::spawn_blocking(move || {
            let pairs = [
                ("AzureTenant", samples::TENANT_ID),
                ("AzureClientID", &client),
                ("AzureCredPassword", &value),
                ("AzureCredKeyPath", &key_file),
                ("AZURE_AUTHORITY_HOST", &endpoint),
                ("AZURE_RESOURCE_MANAGER_ENDPOINT", &endpoint),
                ("SSL_CERT_FILE", &ca_file),
            ];
            handler(&["check"], &pairs, "")
        })
        .await
        .unwrap()
    };
    let good = check(samples::CLIENT_SECRET, samples::CLIENT_ID).await;
    assert!(good.status.success(), "{}", stderr(&good));
    assert!(stdout(&good).starts_with("signed in: "));

    let wrong = check("another~1.secret", samples::CLIENT_ID).await;
    assert_eq!(wrong.status.code(), Some(1));
    let text = stderr(&wrong);
    assert!(
        text.contains("the client secret is wrong") && text.contains("AADSTS7000215"),
        "{text}"
    );
    assert!(!text.contains("another~1"));

    let unknown = check(
        samples::CLIENT_SECRET,
        "5e0c9a51-9d4c-4c9f-9a35-0d8f2ad7ab3c",
    )
    .await;
    assert!(
        stderr(&unknown).contains("no such application"),
        "{}",
        stderr(&unknown)
    );
}

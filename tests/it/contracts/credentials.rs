//! The original's encrypted password: strings and key files made by others, and an app that signs in with one.

use crate::support::folder::Folder;
use crate::support::world::{World, common_alert};
use alert_packet_capture::config::{
    AppSettings, AzureSettings, Identity, IdentityKind, SecretForm, Settings, key_file::Key,
    secure_string,
};
use azure_sandbox::samples;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::{fs, path::Path};

fn settings(pairs: &[(&str, &str)]) -> AppSettings {
    let pairs = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    pairs.collect()
}

/// The identity of the original's settings and whatever else is set.
fn read_with(more: &[(&str, &str)]) -> Result<AzureSettings, String> {
    let mut pairs = vec![
        ("AzureTenant", "contoso.example"),
        ("AzureClientID", "old-client"),
    ];
    pairs.extend(more);
    AzureSettings::read(&settings(&pairs)).map_err(|error| error.to_string())
}

fn secret_of(identity: &Identity) -> &str {
    match &identity.kind {
        IdentityKind::ClientSecret { secret, .. } => secret.expose(),
        other => panic!("{other:?} is no secret"),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// Strings and key files that PowerShell and Python made; they are stored beside the tests.
#[test]
fn the_shared_vectors_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/securestring/vectors.json");
    let Ok(text) = fs::read_to_string(&path) else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "{} is missing",
            path.display()
        );
        eprintln!("{} is missing: nothing was checked", path.display());
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| vectors[name].as_array().unwrap().clone();
    let folder = Folder::new();

    for case in of("decrypt") {
        let key = Key::from_bytes(&hex(case["key_hex"].as_str().unwrap())).unwrap();
        let password = secure_string::decrypt(case["encrypted"].as_str().unwrap(), &key);
        assert_eq!(
            *password.unwrap(),
            case["plaintext"].as_str().unwrap(),
            "{}",
            case["id"]
        );
    }
    for case in of("refuse") {
        let key = Key::from_bytes(&hex(case["key_hex"].as_str().unwrap())).unwrap();
        let key_file = folder.path("vector.key");
        fs::write(&key_file, key.to_file().as_bytes()).unwrap();
        let value = case["encrypted"].as_str().unwrap();
        let message = read_with(&[
            ("AzureCredPassword", value),
            ("AzureCredKeyPath", &key_file),
        ])
        .unwrap_err();
        let lower = message.to_lowercase();
        for any in case["must_mention_any"].as_array().unwrap() {
            let mut words = any.as_array().unwrap().iter().filter_map(Value::as_str);
            assert!(
                words.any(|word| lower.contains(&word.to_lowercase())),
                "{}: {any} in: {message}",
                case["id"]
            );
        }
        for never in case["must_not_contain"].as_array().unwrap() {
            assert!(!message.contains(never.as_str().unwrap()), "{}", case["id"]);
        }
        assert!(
            value.is_empty() || !message.contains(value),
            "{}",
            case["id"]
        );
    }
    for case in of("key_files") {
        let file = BASE64_STANDARD.decode(case["file_base64"].as_str().unwrap());
        let key = Key::read(&file.unwrap());
        assert_eq!(
            key.is_ok(),
            case["expect"]["refuse"].is_null(),
            "{}",
            case["id"]
        );
        if let Ok(key) = key {
            let probe = &case["probe"];
            let password = secure_string::decrypt(probe["encrypted"].as_str().unwrap(), &key);
            assert_eq!(*password.unwrap(), probe["plaintext"].as_str().unwrap());
        }
    }
}

#[test]
fn the_originals_settings_come_first_and_the_rest_is_named() {
    let folder = Folder::new();
    let (key_file, key) = folder.with_key("a.key");
    let value = secure_string::encrypt("from~the.string", &key).unwrap();
    let azure = read_with(&[
        ("AzureCredPassword", &value),
        ("AzureCredKeyPath", &key_file),
        ("AZURE_CLIENT_ID", "new-client"),
        ("AZURE_CLIENT_SECRET", "another~secret"),
        ("IDENTITY_ENDPOINT", "http://localhost:8081/msi/token"),
    ])
    .unwrap();
    let identity = azure.identity;
    assert_eq!(identity.client_id(), Some("old-client"));
    assert_eq!(secret_of(&identity), "from~the.string");
    assert_eq!(
        identity.source.to_string(),
        format!(
            "AzureTenant, AzureClientID and AzureCredPassword (decrypted with {key_file}); \
             set and ignored: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, IDENTITY_ENDPOINT"
        )
    );
    assert_eq!(identity.source.warning(), None);
    assert!(!format!("{identity:?}").contains("from~the"));
}

#[test]
fn the_ways_to_set_an_identity_follow_the_table() {
    let folder = Folder::new();
    let (key_file, key) = folder.with_key("a.key");
    let value = secure_string::encrypt("old~secret", &key).unwrap();
    let (value, key_file) = (value.as_str(), key_file.as_str());
    let [tenant, client] = [("AzureTenant", "t"), ("AzureClientID", "old")];
    let [new_tenant, new_client] = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "new")];
    let secret = ("AZURE_CLIENT_SECRET", "new~secret");
    let password = ("AzureCredPassword", value);
    let path = ("AzureCredKeyPath", key_file);
    type Pairs<'a> = Vec<(&'a str, &'a str)>;
    // The client and its secret, or words of the refusal.
    let good: Vec<(Pairs<'_>, [&str; 2])> = vec![
        (vec![tenant, client, password, path], ["old", "old~secret"]),
        (vec![new_tenant, new_client, secret], ["new", "new~secret"]),
        (vec![tenant, client, secret], ["old", "new~secret"]),
        (vec![tenant, new_client, secret], ["new", "new~secret"]),
        (
            vec![tenant, client, new_tenant, new_client, secret],
            ["new", "new~secret"],
        ),
        (
            vec![new_tenant, new_client, password, path],
            ["new", "old~secret"],
        ),
        (
            vec![
                tenant,
                ("AZURECLIENTID", "old"),
                ("azurecredpassword", value),
                path,
            ],
            ["old", "old~secret"],
        ),
        (
            vec![
                tenant,
                client,
                ("AzureCredPassword", "plain~1"),
                ("AzureCredPasswordFormat", "Plain"),
            ],
            ["old", "plain~1"],
        ),
    ];
    for (pairs, [client, secret]) in good {
        let azure = AzureSettings::read(&settings(&pairs)).unwrap();
        let found = (
            azure.identity.client_id().unwrap(),
            secret_of(&azure.identity),
        );
        assert_eq!(found, (client, secret), "{}", azure.identity.source);
        let plain = azure.identity.source.form == SecretForm::PlainPassword;
        assert_eq!(azure.identity.source.warning().is_some(), plain);
    }
    let vault = "@Microsoft.KeyVault(VaultName=v;SecretName=n)";
    let bad: Vec<(Pairs<'_>, &[&str])> = vec![
        (
            vec![tenant, client],
            &["AZURE_CLIENT_SECRET (or AzureCredPassword)"],
        ),
        (vec![secret], &["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]),
        (vec![password, path, tenant], &["AzureClientID: missing"]),
        (
            vec![password, path, new_tenant, new_client, secret],
            &[
                "AzureTenant: missing",
                "AzureClientID: missing",
                "remove AzureCredPassword",
            ],
        ),
        // The one after it would do, and is not tried.
        (
            vec![
                tenant,
                client,
                ("AzureCredPassword", "pl~in"),
                new_tenant,
                new_client,
                secret,
            ],
            &["AzureCredPassword: not a string encrypted"],
        ),
        (
            vec![
                tenant,
                client,
                password,
                ("AzureCredKeyPath", "/nowhere/k.key"),
            ],
            &["AzureCredKeyPath: there is no key file", "/nowhere/k.key"],
        ),
        (
            vec![
                tenant,
                client,
                password,
                ("AzureCredPasswordFormat", "plain"),
            ],
            &["AzureCredPasswordFormat"],
        ),
        (
            vec![
                tenant,
                client,
                password,
                ("AzureCredPasswordFormat", "clear"),
            ],
            &["AzureCredPasswordFormat"],
        ),
        (
            vec![tenant, client, ("AZURE_CLIENT_SECRET", vault)],
            &["AZURE_CLIENT_SECRET: a Key Vault reference"],
        ),
        (
            vec![tenant, client, ("AzureCredPassword", vault)],
            &["AzureCredPassword: a Key Vault reference"],
        ),
        #[cfg(unix)]
        (
            vec![
                tenant,
                client,
                password,
                ("AzureCredKeyPath", r"D:\home\k.key"),
            ],
            &[r"AzureCredKeyPath: D:\home\k.key is a Windows path"],
        ),
    ];
    for (pairs, words) in bad {
        let error = AzureSettings::read(&settings(&pairs))
            .unwrap_err()
            .to_string();
        for word in words {
            assert!(error.contains(word), "{word} in: {error}");
        }
        assert!(!error.contains("secret~") && !error.contains("pl~in") && !error.contains(value));
    }
    // A dry run needs no identity, yet a whole one must be right.
    let dry = |pairs: &[(&str, &str)]| Settings::read_for_dry_run(&settings(pairs));
    assert!(dry(&[]).unwrap().azure.is_none());
    assert!(dry(&[password]).unwrap().azure.is_none());
    assert!(dry(&[tenant, client, ("AzureCredPassword", "pl~in")]).is_err());
}

#[test]
fn the_key_file_is_found_in_the_originals_place_and_in_any_case() {
    let folder = Folder::new();
    let (key_file, key) = folder.with_key("AlertPacketCapture/Keys/passencryptkey.KEY");
    let value = secure_string::encrypt("old~secret", &key).unwrap();
    let root = folder.path("");
    let more = [
        ("AzureCredPassword", value.as_str()),
        ("FUNCTIONS_APP_ROOT_PATH", &root),
    ];
    let azure = read_with(&more).unwrap();
    assert_eq!(secret_of(&azure.identity), "old~secret");
    fs::write(&key_file, "31\n".repeat(31)).unwrap();
    let error = read_with(&more).unwrap_err();
    assert!(error.contains("holds 31 numbers"), "{error}");
    fs::remove_file(key_file).unwrap();
    let error = read_with(&more).unwrap_err();
    assert!(error.contains("PassEncryptKey.key"), "{error}");
}

#[tokio::test]
async fn an_app_with_the_originals_settings_captures() {
    let folder = Folder::new();
    let (_, key) = folder.with_key("AlertPacketCapture/keys/PassEncryptKey.key");
    let value = secure_string::encrypt(samples::CLIENT_SECRET, &key).unwrap();
    let world = World::with(&[
        ("AZURE_TENANT_ID", ""),
        ("AZURE_CLIENT_ID", ""),
        ("AZURE_CLIENT_SECRET", ""),
        ("AzureTenant", samples::TENANT_ID),
        ("AzureClientID", samples::CLIENT_ID),
        ("AzureCredPassword", &value),
        ("FUNCTIONS_APP_ROOT_PATH", &folder.path("")),
    ])
    .await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    world.end().await;
}

//! Each way to sign in through the front door, and what is answered when it is refused.

use crate::support::{
    folder::Folder,
    identities::{Certificate, EXCHANGE, Pairs, REFUSALS, federation, instead, nobody, pairs},
    world::{World, common_alert},
};
use alert_packet_capture::config::{AzureSettings, IdentityKind};
use azure_sandbox::{Call, Sandbox, samples};
use p12_keystore::EncryptionAlgorithm;
use rcgen::KeyPair;
use serde_json::{Value, json};

/// Who asked for tokens, by what proof, in their order.
fn token_calls(azure: &Sandbox) -> Vec<(Call, Value)> {
    let entries = azure.journal().into_iter();
    let of_tokens = |kind| matches!(kind, Call::Token | Call::ManagedIdentityToken);
    let told = entries.filter(|it| of_tokens(it.kind) && it.status == Some(200));
    told.map(|it| (it.kind, it.body)).collect()
}

/// Posts an alert, which must end in a capture, and gives the calls for tokens.
async fn captures(prepare: impl FnOnce(&Sandbox) -> Pairs) -> Vec<(Call, Value)> {
    let world = World::prepared(prepare).await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let calls = token_calls(&world.azure);
    world.end().await;
    calls
}

fn proof(of: &str) -> Vec<(Call, Value)> {
    let told = json!({ "client_id": samples::CLIENT_ID, "proof": of });
    vec![(Call::Token, told)]
}

#[tokio::test]
async fn a_certificate_signs_in_from_every_kind_of_file() {
    let (folder, one) = (Folder::new(), Certificate::one());
    let new = one.pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, "pass~word");
    let old = one.pfx(
        EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
        "pass~word",
    );
    // Other certificates are in the file, and the key comes first.
    let chain = format!(
        "{}{}{}",
        one.key.serialize_pem(),
        Certificate::another().pem,
        one.pem
    );
    for (file, password) in [
        (folder.file("cert.pem", one.pem()), ""),
        (folder.file("chain.pem", chain), ""),
        (folder.file("new.pfx", new), "pass~word"),
        (folder.file("old.pfx", old), "pass~word"),
    ] {
        let settings = [
            ("AZURE_CLIENT_CERTIFICATE_PATH", file.as_str()),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", password),
        ];
        let calls = captures(|azure| {
            azure.register_certificate(&one.der);
            instead(&settings)
        })
        .await;
        assert_eq!(calls, proof("certificate"), "{file}");
    }
    let file = folder.file("with-chain.pem", one.pem());
    let calls = captures(|azure| {
        azure.register_certificate(&one.der);
        instead(&[
            ("AZURE_CLIENT_CERTIFICATE_PATH", &file),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "1"),
        ])
    })
    .await;
    assert_eq!(calls, proof("certificate with its chain"));
}

/// `tests/certificates/legacy.pfx`, RC2 and 3DES as Windows long wrote them, is made by
/// `openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 36500 -subj "/CN=alert-packet-capture test"` and
/// `openssl pkcs12 -export -legacy -inkey k.pem -in c.pem -out legacy.pfx -passout pass:legacy`.
#[tokio::test]
async fn a_pfx_file_of_old_windows_signs_in() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/legacy.pfx");
    let settings = instead(&[
        ("AZURE_CLIENT_CERTIFICATE_PATH", file),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "legacy"),
    ]);
    let calls = captures(|azure| {
        let all = azure.app_settings().into_iter().chain(settings.clone());
        let identity = AzureSettings::read(&all.collect()).unwrap().identity;
        let IdentityKind::ClientCertificate { certificate, .. } = identity.kind else {
            panic!("{identity}");
        };
        azure.register_certificate(&certificate.chain[0]);
        settings
    })
    .await;
    assert_eq!(calls, proof("certificate"));
}

#[tokio::test]
async fn a_federated_token_is_read_again_when_azure_wants_a_new_one() {
    let folder = Folder::new();
    let path = folder.file("token", "");
    let world = World::prepared(|azure| {
        let token = azure.kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
        folder.file("token", token + "\n");
        instead(&[("AZURE_FEDERATED_TOKEN_FILE", &path)])
    })
    .await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(token_calls(&world.azure), proof("federated token"));
    // The first token has ended with its cluster's key; only the file's new one is good.
    world.azure.rotate_cluster_keys();
    let token = world
        .azure
        .kubernetes_token(samples::SERVICE_ACCOUNT, EXCHANGE, 3600);
    folder.file("token", token);
    world.azure.expire_tokens();
    let reply = world.post(&common_alert(&[samples::SQL_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    assert_eq!(token_calls(&world.azure).len(), 2);
    world.end().await;
}

#[tokio::test]
async fn managed_identities_sign_in_with_nothing_stored() {
    let told = |azure: &Sandbox, client: Value| {
        let resource = azure.endpoint();
        (
            Call::ManagedIdentityToken,
            json!({ "resource": resource, "client_id": client }),
        )
    };
    let mut expected = Vec::new();
    let calls = captures(|azure| {
        expected.push(told(azure, Value::Null));
        nobody(azure.managed_identity_settings())
    })
    .await;
    assert_eq!(calls, expected);
    let calls = captures(|azure| {
        let client = samples::MANAGED_IDENTITY_CLIENT_ID;
        expected = vec![told(azure, client.into())];
        let mut all = nobody(azure.managed_identity_settings());
        all.extend(pairs(&[("AZURE_CLIENT_ID", client)]));
        all
    })
    .await;
    assert_eq!(calls, expected);
}

/// The queue's account needs a token of its own; the platform gives both.
#[tokio::test]
async fn a_managed_identity_opens_the_storage_queue_as_well() {
    let world = World::prepared(|azure| {
        let mut all = nobody(azure.managed_identity_settings());
        all.extend(azure.queue_settings_with_identity());
        all
    })
    .await;
    let reply = world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let mut resources: Vec<Value> = token_calls(&world.azure)
        .into_iter()
        .map(|(_, told)| told["resource"].clone())
        .collect();
    resources.sort_by_key(Value::to_string);
    let own = world.azure.endpoint();
    assert_eq!(resources, [json!(own), json!("https://storage.azure.com")]);
    world.run_out();
    world
        .until(|lines| lines.iter().any(|line| line.starts_with("DELETE queue")))
        .await;
    world.end().await;
}

/// Captures go by the application's secret; the queue's account is opened by the identity that its own settings name.
#[tokio::test]
async fn the_queue_is_opened_by_the_identity_that_the_functions_host_uses() {
    for (name, value, member) in [
        (
            "AzureWebJobsStorage__clientId",
            samples::MANAGED_IDENTITY_CLIENT_ID,
            "client_id",
        ),
        (
            "AzureWebJobsStorage__managedIdentityResourceId",
            samples::MANAGED_IDENTITY_RESOURCE_ID,
            "mi_res_id",
        ),
    ] {
        let world = World::prepared(|azure| {
            let mut all = azure.managed_identity_settings();
            all.extend(azure.queue_settings_with_identity());
            all.extend(pairs(&[
                ("AzureWebJobsStorage__credential", "managedidentity"),
                (name, value),
            ]));
            all
        })
        .await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        let calls = token_calls(&world.azure);
        let (of_queue, of_captures): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|(kind, _)| *kind == Call::ManagedIdentityToken);
        assert_eq!(of_captures, proof("client secret"));
        assert_eq!(of_queue.len(), 1);
        assert_eq!(of_queue[0].1[member], value);
        assert_eq!(of_queue[0].1["resource"], "https://storage.azure.com");
        world.run_out();
        world
            .until(|lines| lines.iter().any(|line| line.starts_with("DELETE queue")))
            .await;
        world.end().await;
    }
}

#[tokio::test]
async fn an_application_that_trusts_a_managed_identity_keeps_its_name() {
    let calls = captures(federation).await;
    let identity = json!({
        "resource": EXCHANGE,
        "client_id": samples::MANAGED_IDENTITY_CLIENT_ID,
    });
    let mut expected = vec![(Call::ManagedIdentityToken, identity)];
    expected.extend(proof("token of a managed identity"));
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_refusal_is_answered_with_what_to_do() {
    for (prepare, code, words, _) in REFUSALS {
        let folder = Folder::new();
        let world = World::prepared(|azure| prepare(azure, &folder)).await;
        let reply = world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["error"]["code"], code, "{:?}", reply.body);
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{code}: {message}");
        assert!(!message.contains("wr0ng"), "{message}");
        world.end().await;
    }
}

#[test]
fn each_useless_certificate_file_has_its_own_error() {
    let (folder, one) = (Folder::new(), Certificate::one());
    let elliptic = KeyPair::generate().unwrap();
    let modern = one.pfx(EncryptionAlgorithm::PbeWithHmacSha256AndAes256, "pass~word");
    let key = one.key.serialize_pem();
    let locked = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (name, content, words) in [
        (
            "only.pem",
            one.pem.clone().into_bytes(),
            "holds no private key",
        ),
        ("key.pem", key.clone().into_bytes(), "holds no certificate"),
        (
            "locked.pem",
            [&one.pem, &locked[..]].concat().into_bytes(),
            "an encrypted private key in PEM",
        ),
        (
            "other.pem",
            [&Certificate::another().pem, &key[..]]
                .concat()
                .into_bytes(),
            "belongs to none of its certificates",
        ),
        (
            "ec.pem",
            [&one.pem, &elliptic.serialize_pem()[..]]
                .concat()
                .into_bytes(),
            "not RSA of at least 2048 bits",
        ),
        (
            "bad.pem",
            key.replace('a', "~").into_bytes(),
            "not well-formed PEM",
        ),
        (
            "new.pfx",
            modern,
            "that AZURE_CLIENT_CERTIFICATE_PASSWORD does not open",
        ),
        (
            "rubbish.pfx",
            b"rubbish".to_vec(),
            "neither PEM nor a PFX file",
        ),
    ] {
        let file = folder.file(name, content);
        let settings = pairs(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", &file),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wr0ng"),
        ]);
        let error = AzureSettings::read(&settings.into_iter().collect()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(words) && text.contains(&file),
            "{name}: {text}"
        );
        assert!(!text.contains("wr0ng") && !text.contains("BEGIN"), "{text}");
    }
}

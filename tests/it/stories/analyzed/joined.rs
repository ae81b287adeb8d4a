//! A file in which a database does not answer, and an effective rule that denies the way to it: one sentence, first in the
//! notification and on the page.

use super::*;
use serde_json::json;

/// A rule of the web servers' NSG that denies the database, before those that allow everything.
fn deny_sql(azure: &Azure) {
    let rule = |name: &str, access: &str, priority: u32, destination: &str, port: &str| {
        json!({
            "name": name, "protocol": "Tcp", "direction": "Outbound", "access": access, "priority": priority,
            "sourceAddressPrefix": "0.0.0.0/0", "sourcePortRange": "0-65535",
            "destinationAddressPrefix": destination, "destinationPortRange": port,
        })
    };
    let groups = json!([{
        "networkSecurityGroup": { "id": samples::NSG_WEB },
        "association": { "subnet": { "id": samples::SUBNET_WEB } },
        "effectiveSecurityRules": [
            rule("defaultSecurityRules/DenyAllOutBound", "Deny", 65_500, "0.0.0.0/0", "0-65535"),
            rule("securityRules/deny-sql", "Deny", 200, "10.1.2.0/24", "1433-1433"),
            rule("defaultSecurityRules/AllowVnetOutBound", "Allow", 65_000, "10.1.0.0/16", "0-65535"),
        ],
    }]);
    azure.set_effective(samples::NIC_WEB_01, groups, json!([]));
}

#[tokio::test]
async fn the_completed_record_says_the_rule_first_as_the_notification_did() {
    let azure = azure().await;
    deny_sql(&azure);
    let mut storage = azure.queue_settings();
    storage.push(("JobQueue__Receive".to_owned(), "poll".to_owned()));
    let settings = [
        ("Changes__Enabled", "true"),
        ("Changes__EffectiveRules", "true"),
        ("FirstLook__InNotice", "full"),
    ];
    let pace = Pace {
        complete_after: Duration::ZERO,
        ..World::pace()
    };
    let story = Story::paced(azure.clone(), &storage, &settings, pace).await;
    let reply = story.world.post(&common_alert(&[samples::WEB_01])).await;
    assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
    let asked = |lines: &[String]| {
        let asked = |it: &String| it.contains("effectiveNetworkSecurityGroups");
        lines.iter().any(asked)
    };
    story.world.until(asked).await;
    story.world.run_out();
    let notice = story.notice("completed", samples::WEB_01).await;
    let done = |_: &[String]| azure.queue_messages("packet-capture-jobs").is_empty();
    story.world.until(done).await;
    let incident = notice["data"]["incident"]["id"].as_str().unwrap();
    let (_, whole) = story.get(&format!("/{incident}"), "application/json").await;
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let known = &whole["entries"][0]["report"]["changes"];
    assert_eq!(known["complete"], true, "{known}");
    let said = &notice["data"]["changes"]["lines"][0];
    assert!(said.as_str().unwrap().contains("deny-sql"), "{said}");
    assert_eq!(&known["lines"][0], said);
    story.world.end().await;
}

#[tokio::test]
async fn the_rule_that_denies_a_silent_endpoint_is_said_first() {
    const RULE: &str = "did not answer; effective rule deny-sql denies it outbound (NSG nsg-web).";
    for (policy, expected) in [
        ("full", Some(format!("10.1.2.3:1433 {RULE}"))),
        ("counts", Some(format!("An endpoint on port 1433 {RULE}"))),
        ("none", None),
    ] {
        let story = Story::with(&[
            ("Changes__Enabled", "true"),
            ("Changes__EffectiveRules", "true"),
            ("FirstLook__InNotice", policy),
        ])
        .await;
        deny_sql(&story.world.azure);
        let reply = story.world.post(&common_alert(&[samples::WEB_01])).await;
        assert_eq!(reply.body["outcome"], "created", "{:?}", reply.body);
        // The rules are an operation of Azure's, too.
        let asked = |lines: &[String]| {
            lines
                .iter()
                .any(|it| it.contains("effectiveNetworkSecurityGroups"))
        };
        story.world.until(asked).await;
        story.world.run_out();
        let notice = story.notice("completed", samples::WEB_01).await;
        let said = notice["data"]["changes"]["lines"].as_array().unwrap();
        let joined = said
            .iter()
            .filter(|line| line.as_str().unwrap().contains(RULE));
        let joined: Vec<&str> = joined.map(|line| line.as_str().unwrap()).collect();
        assert_eq!(joined, Vec::from_iter(expected.as_deref()), "{said:?}");
        if expected.is_some() {
            assert_eq!(said[0], joined[0]);
        }
        // The page has the key: it says it in full.
        let incident = notice["data"]["incident"]["id"].as_str().unwrap();
        let (_, page) = story.get(&format!("/{incident}"), "text/html").await;
        assert!(page.contains(&format!("10.1.2.3:1433 {RULE}")), "{page}");
        let (_, whole) = story.get(&format!("/{incident}"), "application/json").await;
        let whole: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(whole["changes"][0]["silentEndpoints"][0]["denied"], true);
        story.world.end().await;
    }
}

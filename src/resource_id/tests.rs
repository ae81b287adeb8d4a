//! Tables of ids, good and bad.

use std::collections::HashSet;

use super::ResourceId;

const G: &str = "7a10c2d4-52be-4f19-9d03-c6b8e1f4a275";

fn id(text: &str) -> ResourceId {
    let text = text.replace("{g}", G);
    ResourceId::parse(&text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
}

#[test]
fn canonical_text() {
    for (written, canonical) in [
        (
            "/SUBSCRIPTIONS/7A10C2D4-52BE-4F19-9D03-C6B8E1F4A275",
            "/subscriptions/{g}",
        ),
        (
            "/subscriptions/{g}/RESOURCEGROUPS/Rg-1",
            "/subscriptions/{g}/resourceGroups/Rg-1",
        ),
        (
            "/subscriptions/{g}/resourcegroups/rg/PROVIDERS/microsoft.compute/virtualmachines/Db_1.a",
            "/subscriptions/{g}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/Db_1.a",
        ),
        (
            "/subscriptions/{g}/resourceGroups/providers/providers/microsoft.compute/virtualmachinescalesets/providers/virtualmachines/0",
            "/subscriptions/{g}/resourceGroups/providers/providers/Microsoft.Compute/virtualMachineScaleSets/providers/virtualMachines/0",
        ),
        (
            "/subscriptions/{g}/resourceGroups/r/providers/microsoft.network/NETWORKWATCHERS/w/packetcaptures/p",
            "/subscriptions/{g}/resourceGroups/r/providers/Microsoft.Network/networkWatchers/w/packetCaptures/p",
        ),
        (
            "/subscriptions/{g}/resourceGroups/r/providers/microsoft.storage/storageaccounts/s/Blobs/x",
            "/subscriptions/{g}/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/s/Blobs/x",
        ),
        (
            "/subscriptions/{g}/providers/microsoft.foo/Bars/a b",
            "/subscriptions/{g}/providers/microsoft.foo/Bars/a b",
        ),
    ] {
        let canonical = canonical.replace("{g}", G);
        assert_eq!(id(written).to_string(), canonical);
        assert_eq!(id(&canonical).to_string(), canonical);
    }
}

#[test]
fn refused() {
    let long_group = format!("/subscriptions/{G}/resourceGroups/{}", "ä".repeat(91));
    let long_machine = format!(
        "/subscriptions/{G}/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/{}",
        "a".repeat(81)
    );
    let bad = [
        "",
        "/",
        "subscriptions/{g}",
        "/subscriptions",
        "/subscriptions/",
        "/subscriptions/{g}/",
        "/subscriptions/7a10c2d452be4f199d03c6b8e1f4a275",
        "/subscriptions/{g}x",
        "//subscriptions/{g}",
        "/subscriptions/{g}/resourceGroups",
        "/subscriptions/{g}/resourceGroups/",
        "/subscriptions/{g}/resourceGroups/a.",
        "/subscriptions/{g}/resourceGroups/..",
        "/subscriptions/{g}/resourceGroups/a b",
        "/subscriptions/{g}/resourceGroups/a%2eb",
        "/subscriptions/{g}/other/a",
        "/subscriptions/{g}/resourceGroups/r/virtualMachines/v",
        "/subscriptions/{g}/resourceGroups/r/providers",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c/d/e",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c/..",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c/d?e",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c/d\u{202e}e",
        "/subscriptions/{g}/providers/Microsoft.Compute/virtualMachines/v",
        "/subscriptions/{g}/resourceGroups/r/providers/A.B/c/d/providers/Microsoft.Compute/virtualMachines/v",
        "/subscriptions/{g}/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/-v",
        "/subscriptions/{g}/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/v\n",
        "/subscriptions/{g}/resourceGroups/r/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/a.b",
        &long_group,
        &long_machine,
    ];
    for text in bad {
        let text = text.replace("{g}", G);
        let wrong = ResourceId::parse(&text).expect_err(&text).to_string();
        assert!(
            !wrong.is_empty() && !wrong.chars().any(char::is_control),
            "{text}"
        );
    }
}

#[test]
fn only_ascii_letters_compare_without_case() {
    for (one, other, same) in [
        ("Rg-WEB", "rg-web", true),
        // The Kelvin sign, the long s, the dotted capital I: their Unicode lower case or upper case is ASCII.
        ("rg-\u{212a}", "rg-k", false),
        ("rg-\u{17f}", "rg-s", false),
        ("rg-\u{130}", "rg-i", false),
        ("rg-Ä", "rg-ä", false),
        ("rg-ΟΔΟΣ", "rg-οδος", false),
        ("rg-ΟΔΟΣ", "RG-ΟΔΟΣ", true),
    ] {
        let ids =
            [one, other].map(|group| id(&format!("/subscriptions/{{g}}/resourceGroups/{group}")));
        assert_eq!(ids[0] == ids[1], same, "{one} {other}");
        assert_eq!(ids[0].contains(&ids[1]), same, "{one} {other}");
        let distinct = ids.into_iter().collect::<HashSet<_>>().len();
        assert_eq!(distinct == 1, same, "{one} {other}");
    }
}

#[test]
fn parts_and_scopes() {
    let subscription = id("/subscriptions/{g}");
    let group = subscription.child("resourceGroups", "Rg").unwrap();
    let set = group
        .child("microsoft.compute/virtualmachinescalesets", "pool")
        .unwrap();
    let instance = set.child("virtualMachines", "3").unwrap();
    let lock = instance
        .child("Microsoft.Authorization/locks", "keep")
        .unwrap();

    assert_eq!(instance.subscription(), G);
    assert_eq!(
        (subscription.resource_group(), lock.resource_group()),
        (None, Some("Rg"))
    );
    assert_eq!(
        (group.name(), set.name(), instance.name(), lock.name()),
        (None, Some("pool"), Some("3"), Some("keep"))
    );
    assert!(instance.is_type("microsoft.compute/virtualMachineScaleSets/VIRTUALMACHINES"));
    assert!(!instance.is_type("Microsoft.Compute/virtualMachineScaleSets") && !group.is_type(""));
    assert!(
        lock.is_type("Microsoft.Authorization/locks")
            && !lock.is_type("Microsoft.Compute/virtualMachines")
    );

    let line = [subscription, group, set, instance, lock];
    for (depth, outer) in line.iter().enumerate() {
        assert_eq!(
            outer.parent().as_ref(),
            depth.checked_sub(1).map(|above| &line[above])
        );
        for (other_depth, inner) in line.iter().enumerate() {
            assert_eq!(outer.contains(inner), depth <= other_depth);
        }
    }
    assert!(!id("/subscriptions/{g}/resourceGroups/r").contains(&line[1]));
    for (kind, name) in [
        ("virtualMachines", "a/b/c"),
        ("virtualMachines", ".."),
        ("a/b/c", "d"),
        ("", "x"),
        ("extensions", ""),
    ] {
        assert!(line[2].child(kind, name).is_err(), "{kind} {name}");
    }
}

#[test]
fn serde_goes_by_text_and_checks_it() {
    let group = id("/subscriptions/{g}/resourceGroups/r");
    let text = serde_json::to_string(&group).unwrap();
    assert_eq!(text, format!("\"{group}\""));
    assert_eq!(serde_json::from_str::<ResourceId>(&text).unwrap(), group);
    assert!(serde_json::from_str::<ResourceId>("\"/subscriptions/x\"").is_err());
}

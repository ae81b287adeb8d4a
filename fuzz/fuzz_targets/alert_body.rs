//! Any bytes as a webhook's body. What is accepted must be what we would call the machine by, letter for letter.
#![no_main]

use alert_packet_capture::alert;
use alert_packet_capture::resource_id::ResourceId;
use alert_packet_capture::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let alert = match alert::read(body) {
        Ok(alert) => alert,
        Err(bad) => {
            assert!(bad.path.starts_with('$'));
            assert!(!bad.message.chars().any(char::is_control));
            return;
        }
    };
    let mut ids = std::collections::HashSet::new();
    for target in &alert.targets {
        let text = target.id.to_string();
        let again = ResourceId::parse(&text).expect("an accepted id is a good one");
        assert_eq!(again, target.id);
        assert_eq!(again.to_string(), text);
        assert!(target.id.resource_group().is_some() && target.id.name().is_some());
        let segments = target.id.segments();
        assert_eq!(format!("/{}", segments.join("/")), text);
        for segment in segments {
            assert!(!matches!(segment, "" | "." | ".."));
            assert!(
                segment
                    .chars()
                    .all(|c| c.is_alphanumeric() || "._-()".contains(c))
            );
        }
        assert!(ids.insert(target.id.clone()), "each machine once");
    }
    assert!(alert.facts.conditions.len() <= 16);
    let facts = &alert.facts;
    let texts = [
        &facts.rule,
        &facts.id,
        &facts.severity,
        &facts.signal,
        &facts.fired_at,
        &alert.rule_id,
    ];
    for shown in texts.into_iter().chain([&alert.description]).flatten() {
        assert!(!shown.is_empty() && text::clean(shown, text::MESSAGE) == *shown);
    }
    assert!(
        alert
            .dedupe_key
            .as_ref()
            .is_none_or(|key| key.len() <= 1024 && !key.contains(char::is_control))
    );
    assert!(
        alert
            .region
            .as_ref()
            .is_none_or(|region| text::region(region).as_ref() == Some(region))
    );
    assert_eq!(alert.why_no_target().is_none(), !alert.targets.is_empty());
    if alert::ignore_reason(&alert).is_none() {
        assert!(!alert.targets.is_empty() && !alert.is_test);
    }
});

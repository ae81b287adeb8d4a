//! The pages: nothing foreign gets through unescaped, nothing is fetched, the size is bounded.

use first_look::{Alert, Context, Look, Options, Seen};

use super::generator::file::{File, MICROSECONDS, Packet};
use super::generator::frames::{self, ACK, End, end};
use super::generator::talk::Talk;

const START: u64 = 1_790_000_000_000_000_000;

fn vm(port: u16) -> End {
    end("10.0.0.4", port)
}

/// Names that would like to be more than text, as long as names can be, and many of them.
fn hostile() -> Seen {
    let mut packets = Vec::new();
    for number in 0..400_u16 {
        let now = START + u64::from(number) * 700_000_000;
        let script = format!(
            "<script>alert({number})</script>\"'&\u{202e}\n{}",
            "<".repeat(150)
        );
        let mut talk = Talk::new(
            vm(20_000 + number),
            end(&format!("10.2.{}.{}", number / 200, number % 200), 443),
            [1, 1],
            now,
        );
        talk.handshake(1_000_000)
            .send(0, ACK, &frames::client_hello(&script));
        packets.append(&mut talk.packets);
        let name = format!(
            "{}.{}.{}",
            "<b>&".repeat(15),
            "\u{1}\x7f'\"".repeat(10),
            number
        );
        let query = frames::dns(number, false, 0, &name);
        packets.push(Packet {
            time: now,
            bytes: frames::udp(vm(53_000), end("10.0.0.2", 53), &query),
        });
        let response = frames::dns(number, true, 2, &name);
        packets.push(Packet {
            time: now + 5_000_000,
            bytes: frames::udp(end("10.0.0.2", 53), vm(53_000), &response),
        });
    }
    packets.sort_by_key(|packet| packet.time);
    let mut look = Look::new(Options::default());
    look.feed(&File::of(MICROSECONDS, 262_144, &packets));
    let mut context = Context::default();
    context.name = "</title><script>x</script>; rm -rf '.cap".into();
    context.vm_name = Some("web-01<img src=x>".into());
    context.alert = Some(Alert {
        at: START as i64 + 60_000_000_000,
        metric: None,
    });
    look.finish(&context)
}

#[test]
fn the_report_is_one_small_page_without_script_or_request() {
    let page = hostile().html();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    let lower = page.to_ascii_lowercase();
    for forbidden in [
        "<script",
        "<img",
        "<b>",
        "javascript:",
        "http://",
        "https://",
        "src=",
        "href=",
        "url(",
        "@import",
        "onload",
    ] {
        // "src=" occurs in filters (`ip.src==`) and in the escaped name.
        let found = lower.matches(forbidden).count();
        let allowed = if forbidden == "src=" {
            lower.matches("ip.src==").count() + lower.matches("img src=x").count()
        } else {
            0
        };
        assert_eq!(found, allowed, "{forbidden}");
    }
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
    for part in [
        "prefers-color-scheme:dark",
        "@media print",
        "<svg",
        "class=\"alert\"",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !page
            .chars()
            .any(|character| character == '\u{202e}' || character == '\u{1}')
    );
}

#[test]
fn the_text_has_no_control_characters_and_no_shell() {
    let text = hostile().text();
    assert!(
        !text
            .chars()
            .any(|character| character.is_control() && character != '\n')
    );
    assert!(!text.contains('\u{202e}'));
    // A name that a shell would read differently is not put into a command line.
    assert!(
        text.lines()
            .filter(|line| line.contains("tshark -r"))
            .all(|line| line.contains("tshark -r FILE.cap ")),
        "{text}"
    );
}

#[test]
fn the_json_has_the_members_that_are_promised() {
    let json = hostile().json();
    for member in ["file", "figures", "findings", "notLookedInto"] {
        assert!(json.get(member).is_some(), "{member}");
    }
    let finding = &json["findings"][0];
    for member in ["kind", "sentence", "count", "base", "endpoint", "filter"] {
        assert!(finding.get(member).is_some(), "{member} of {finding}");
    }
    assert_eq!(json["findings"][0]["kind"], "dns");
}

#[test]
fn a_page_of_no_capture_says_so() {
    let mut look = Look::new(Options::default());
    look.feed(b"<html>no</html>");
    let seen = look.finish(&Context::default());
    let page = seen.html();
    assert!(
        page.contains("it holds a web page") && !page.contains("<svg"),
        "{page}"
    );
    assert!(seen.text().contains("it holds a web page"));
}

/// What was read before the damage is of a capture, and the page does not say otherwise.
#[test]
fn a_damaged_capture_keeps_its_format() {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0; 8]);
    file.extend([0, 0, 4, 0, 1, 0, 0, 0]);
    file.extend([
        0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
    ]);
    let mut look = Look::new(Options::default());
    look.feed(&file);
    let page = look.finish(&Context::default()).text();
    assert!(page.contains("The file is damaged"), "{page}");
    assert!(page.starts_with("Capture: pcap, 40 bytes\n"), "{page}");
}

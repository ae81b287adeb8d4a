//! The pages: nothing foreign gets through unescaped, nothing is fetched, the size is bounded.

use first_look::{Alert, Context, Look, Options, Seen, html_style};

use super::generator::file::{File, MICROSECONDS, Packet};
use super::generator::frames::{self, ACK, end};
use super::generator::talk::Talk;
use super::setup::{START, vm};

/// Names that would like to be more than text, as long as names can be, and many of them.
fn hostile() -> Seen {
    let mut context = Context::default();
    context.name = "</title><script>x</script>; rm -rf '.cap".into();
    context.vm_name = Some("web-01<img src=x>".into());
    context.alert = Some(Alert {
        at: START as i64 + 60_000_000_000,
        metric: None,
    });
    hostile_with(&context)
}

fn hostile_with(context: &Context) -> Seen {
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
    look.finish(context)
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

/// Another page, with its own title, has the same content under the same style sheet.
#[test]
fn the_fragment_has_no_frame_and_all_of_its_style_is_its_own() {
    let seen = hostile();
    let (page, fragment) = (seen.html(), seen.html_fragment());
    let inner = fragment
        .strip_prefix("<section class=\"first-look\">\n")
        .and_then(|rest| rest.strip_suffix("</section>"))
        .expect("one element");
    assert!(page.contains(inner));
    for frame in [
        "<html", "<head", "<style", "<main", "<h1", "<section", "style=\"",
    ] {
        assert!(!inner.contains(frame), "{frame}");
    }
    for part in [
        "<svg",
        "<table",
        "<h2>What stands out</h2>",
        "<h2>Not analyzed</h2>",
    ] {
        assert!(inner.contains(part), "{part}");
    }
    let style = html_style();
    assert!(page.contains(style.trim()));
    // Every rule is below the element's class, or about the color behind it.
    let mut rules = 0;
    for head in style.split('}').filter_map(|rule| rule.rsplit_once('{')) {
        let selectors = head.0.rsplit('{').next().unwrap_or_default();
        for selector in selectors
            .trim()
            .split(',')
            .filter(|it| !it.starts_with('@'))
        {
            let is_own = selector.starts_with(".first-look") || selector.starts_with("html:has(");
            assert!(is_own, "{selector}");
            rules += 1;
        }
    }
    assert!(rules > 20, "{rules}");
}

/// The moment of the alert is in the pictures: where it is, or at the edge behind which it is.
#[test]
fn the_alert_is_marked_within_and_outside_of_the_file() {
    // The file begins at START and has 280 s.
    for (at, label, words) in [
        (
            140,
            "class=\"middle\">alert<",
            "140 s after the first packet",
        ),
        (
            -12,
            "class=\"\">\u{2190} alert<",
            "12.0 s before the first packet",
        ),
        (
            400,
            "class=\"end\">alert \u{2192}<",
            "121 s after the last packet",
        ),
    ] {
        let mut context = Context::default();
        context.alert = Some(Alert {
            at: START as i64 + at * 1_000_000_000,
            metric: None,
        });
        let seen = hostile_with(&context);
        let page = seen.html();
        // Of packets and of bytes.
        assert_eq!(page.matches(label).count(), 2, "{at}");
        for text in [page, seen.text()] {
            assert!(text.contains(&format!("The alert fired {words}.")), "{at}");
        }
    }
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

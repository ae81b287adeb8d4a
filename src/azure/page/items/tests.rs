//! Pages in pieces of all sizes.

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
struct Named {
    name: String,
}

/// The elements' names and the next link, when the page comes in pieces of this size.
fn read(page: &str, size: usize) -> Result<(Vec<String>, Option<String>), PageError> {
    let (mut items, mut names) = (Items::new(1_000), Vec::new());
    for piece in page.as_bytes().chunks(size) {
        items.read(piece, |item: Named| names.push(item.name))?;
    }
    Ok((names, items.end()?))
}

#[test]
fn pages_read_the_same_however_they_come() {
    let next = Some("https://m/next?a=1");
    let cases: [(&str, &[&str], Option<&str>); 7] = [
        (r#"{"value":[]}"#, &[], None),
        (r#" {"nextLink" : null, "value" : [ ] } "#, &[], None),
        (r#"{"nextLink":null,"value":[{"name":"a"}]}"#, &["a"], None),
        (
            r#"{"value":[{"name":"a\"],}"},{"name":"ü","value":[{"name":"no"}]}],"nextLink":"https:\/\/m/next?a=1"}"#,
            &["a\"],}", "ü"],
            next,
        ),
        (
            r#"{"count":12345,"x":{"value":[1,2]},"y":[true,-1.5e3],"value":[ {"name":"b"} , {"name":"c"} ]}"#,
            &["b", "c"],
            None,
        ),
        (r#"{"value":[],"nextLink":""}"#, &[], None),
        (
            r#"{"nextLink":"https://m/next?a=1","value":[{"name":"a"}],"n":1}"#,
            &["a"],
            next,
        ),
    ];
    for (page, names, link) in cases {
        for size in [1, 2, 3, 7, 16, 1000] {
            let (read, next) = read(page, size).unwrap();
            assert_eq!(
                (read, next.as_deref()),
                (names.iter().map(|name| (*name).to_owned()).collect(), link),
                "{page} {size}"
            );
        }
    }
}

#[test]
fn what_is_not_a_page_is_refused() {
    for page in [
        "",
        "[]",
        "<html>",
        "null",
        r#"{"value":[{"name":"a"}"#,
        r#"{"value":[{"name":"a"}]"#,
        r#"{"value":[{"name":"a"},]}"#,
        r#"{"value":[{"name":"a"}{"name":"b"}]}"#,
        r#"{"value":{"name":"a"}}"#,
        r#" {"value" : null} "#,
        "{}",
        r#"{"nextLink":"https://m/next?a=1"}"#,
        r#"{"error":{"code":"InternalServerError"}}"#,
        r#"{"value":[]} {}"#,
        r#"{"value":[],}"#,
        r#"{"value" []}"#,
        r#"{"nextLink":1,"value":[]}"#,
    ] {
        for size in [1, 5, 1000] {
            assert!(read(page, size).is_err(), "{page} {size}");
        }
    }
}

#[test]
fn a_value_without_end_is_refused() {
    let endless = format!(r#"{{"value":[{{"name":"{}"#, "a".repeat(LARGEST_VALUE + 20));
    assert!(matches!(
        read(&endless, 16 * 1024),
        Err(PageError::TooLarge)
    ));
}

#[test]
fn odd_elements_are_left_out_and_counted() {
    let page = r#"{"value":[{"name":"a"},{"name":7,"more":[1,{"x":"]"}]},null,{},{"name":"b"}],"nextLink":"n"}"#;
    for size in [1, 2, 3, 7, 16, 1000] {
        let (mut items, mut names) = (Items::new(5), Vec::new());
        for piece in page.as_bytes().chunks(size) {
            let take = |item: Named| names.push(item.name);
            items.read(piece, take).unwrap();
        }
        assert_eq!((items.elements, items.skipped), (5, 3), "{size}");
        assert_eq!(names, ["a", "b"]);
        assert_eq!(items.end().unwrap().as_deref(), Some("n"));
    }
    let mut items = Items::new(4);
    let read = items.read(page.as_bytes(), |_: Named| {});
    assert!(matches!(read, Err(PageError::TooMany)));
}

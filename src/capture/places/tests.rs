//! What is remembered of places, how long, and when not.

use super::*;

fn watcher(name: &str) -> ResourceId {
    format!("/subscriptions/0d3c1d6e-5f5c-4a0b-8a3e-2d1f00c0ffee/resourceGroups/g/providers/Microsoft.Network/networkWatchers/{name}")
        .parse()
        .unwrap()
}

fn remember(places: &Places, watcher: &ResourceId, taken: &[&str]) {
    let mut names = Names::default();
    let capture = PacketCapture {
        etag: Some("1".to_owned()),
        ..PacketCapture::default()
    };
    taken
        .iter()
        .for_each(|name| names.add(name, Some(&capture)));
    let generation = places.writes.generation(watcher);
    places.remember_list(watcher, names, generation, Instant::now());
}

#[tokio::test(start_paused = true)]
async fn a_list_is_believed_for_a_second_and_kept_in_step() {
    let (places, watcher) = (Places::default(), watcher("w"));
    assert!(!places.is_free(&watcher, "a", 10));
    remember(&places, &watcher, &["Taken"]);
    for (name, limit, free) in [("a", 2, true), ("a", 1, false), ("tAKEN", 9, false)] {
        assert_eq!(
            places.is_free(&watcher, name, limit),
            free,
            "{name} {limit}"
        );
    }
    places.add_to_list(&watcher, "a", None);
    assert!(!places.is_free(&watcher, "A", 9) && !places.is_free(&watcher, "b", 2));
    assert!(places.is_free(&watcher, "b", 3));
    tokio::time::advance(LIST_BELIEVED).await;
    assert!(!places.is_free(&watcher, "b", 3));
    assert!(places.last_known(&watcher, "taken").is_some());
    remember(&places, &watcher, &[]);
    places.forget_list(&watcher);
    assert!(!places.is_free(&watcher, "b", 3));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_older_than_a_write_is_not_remembered() {
    let (places, watcher) = (Places::default(), watcher("w"));
    let asked = places.writes.generation(&watcher);
    drop(places.writes.begin(&watcher));
    places.remember_list(&watcher, Names::default(), asked, Instant::now());
    assert!(!places.is_free(&watcher, "a", 1));
    remember(&places, &watcher, &[]);
    assert!(places.is_free(&watcher, "a", 1));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_was_listed_later_counts() {
    let (places, machine) = (Places::default(), watcher("m"));
    places.remember_region(&machine, "westeurope");
    assert_eq!(places.old_region(&machine), None);
    places.add_machine(&machine, "westeurope");
    assert_eq!(places.old_region(&machine), None);
    places.add_machine(&machine, "northeurope");
    assert_eq!(places.region(&machine).as_deref(), Some("northeurope"));
    assert_eq!(places.old_region(&machine).as_deref(), Some("northeurope"));
    places.remember_region(&machine, "uksouth");
    assert_eq!(places.old_region(&machine), None);
    tokio::time::advance(REGION_BELIEVED).await;
    assert_eq!(places.old_region(&machine).as_deref(), Some("uksouth"));
}

#[tokio::test(start_paused = true)]
async fn lists_are_bounded() {
    let places = Places::default();
    for n in 0..=MOST_LISTS {
        remember(&places, &watcher(&format!("w{n}")), &[]);
    }
    let known = |n| places.is_free(&watcher(&format!("w{n}")), "a", 1);
    assert!((0..=MOST_LISTS).filter(|n| known(*n)).count() <= MOST_LISTS);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_asked_ahead_once_a_second_while_it_answers() {
    let (places, watcher) = (Places::default(), watcher("w"));
    assert!(places.may_ask_ahead(&watcher) && !places.may_ask_ahead(&watcher));
    tokio::time::advance(LIST_BELIEVED).await;
    assert!(places.may_ask_ahead(&watcher));
    places.remember_silence(&watcher);
    tokio::time::advance(LIST_BELIEVED).await;
    assert!(!places.may_ask_ahead(&watcher));
    tokio::time::advance(SILENCE_REMEMBERED).await;
    assert!(places.may_ask_ahead(&watcher));
}

#[tokio::test(start_paused = true)]
async fn the_watchers_used_last_come_first() {
    let places = Places::default();
    let used = |name: &str| NetworkWatcher {
        id: watcher(name),
        location: name.to_owned(),
    };
    for name in ["a", "b", "c", "a", "d", "e", "e"] {
        places.use_watcher(&used(name));
    }
    let known = places.used_watchers(watcher("a").subscription());
    let names: Vec<&str> = known.iter().map(|it| it.location.as_str()).collect();
    assert_eq!(names, ["e", "d", "a", "c"]);
}

//! All tests that go through the front door, in one binary: they build once.

mod alert_bodies_hostile;
mod alert_shapes;
mod arrows;
mod capture_stories;
mod credentials;
mod doctor_stories;
mod fault_stories;
mod front_door_stories;
mod local_settings;
mod process_stories;
mod role_stories;
mod secure_webhook_stories;
mod world;

//! All tests that go through the front door, in one binary: they build once.

mod alert_bodies_hostile;
mod alert_shapes;
mod arrows;
#[cfg(feature = "azurite")]
mod azurite;
mod capture_stories;
mod credentials;
mod credentials_commands;
mod doctor_function_stories;
mod doctor_stories;
mod documents;
mod fault_stories;
mod follow_stories;
mod front_door_stories;
mod identities;
mod identity_commands;
mod identity_stories;
mod kill_stories;
mod local_settings;
mod messages;
mod notification_stories;
mod process_stories;
mod queue_contract;
mod queue_stories;
mod receiver;
mod role_stories;
mod secret_stories;
mod secret_walk;
mod secrets;
mod secure_webhook_stories;
mod status_stories;
mod storm_stories;
mod trace_stories;
mod version_stories;
mod world;

//! What must hold whatever the story: tables of bodies and settings, wordings, the layers of the source.

mod alert_bodies_hostile;
mod alert_keys;
mod alert_shapes;
mod arrows;
mod circles;
mod coverage;
mod credentials;
mod documents;
mod field_settings;
mod local_settings;
mod messages;
mod queue;
mod store;

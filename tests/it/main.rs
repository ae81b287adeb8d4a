//! All tests that go through the front door, in one binary: they build once.

mod alert_bodies_hostile;
mod alert_shapes;
mod capture_stories;
mod credentials;
mod world;

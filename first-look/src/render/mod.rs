//! The same things for different readers: JSON for programs, text for a terminal, lines for a notification, a page.

mod json;

//! The same things for different readers: JSON for programs, text for a terminal, lines for a notification, a page.

mod html;
mod json;
mod notice;
mod picture;
mod report_tables;
mod table;
mod text;

pub use html::html_style;
pub use notice::NamePolicy;

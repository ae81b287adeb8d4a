//! findings
use crate::figures::Figures;
use crate::options::Context;
use crate::unread::NotLookedInto;
/// f
#[derive(Debug)]
pub struct Finding {}
#[derive(Debug)]
pub(crate) struct Measure {}
pub(crate) fn all(_: &Figures, _: &Context, _: &NotLookedInto) -> (Vec<Finding>, Vec<Measure>) {
    (vec![], vec![])
}

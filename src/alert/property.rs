//! The alert rule's own custom property that names a profile of captures. The rule's author writes it; what log data and
//! the activity log's event have in their properties does not count.
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-create-metric-alert-rule#configure-alert-rule-details>

use super::fields::Object;
use crate::text;

/// The property's name, in any letter case.
pub const PROPERTY: &str = "packetCaptureProfile";

/// The profile that these properties name.
pub(super) fn profile(properties: Option<Object>) -> Option<String> {
    let properties = properties?;
    text::cleaned(properties.text(PROPERTY)?, text::WORD)
}

/// That of the common schema: the rule's properties, which metric and log alerts of before 2023 have in their context.
pub(super) fn of_common(data: &Object, context: Option<&Object>) -> Option<String> {
    let own = profile(data.loose_object("customProperties"));
    own.or_else(|| {
        let context = context.filter(|context| context.has("conditionType"))?;
        profile(context.loose_object("properties"))
    })
}

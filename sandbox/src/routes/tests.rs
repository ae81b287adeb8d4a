//! Requests and the calls that they are.

use super::*;

#[test]
fn calls_are_recognised_whatever_their_case() {
    let w = "/Subscriptions/s/resourcegroups/G/providers/MICROSOFT.network/networkWatchers/NW";
    let captures = format!("{w}/packetCaptures");
    let locations = "/subscriptions/s/providers/Microsoft.Network/locations/westeurope";
    for (method, path, call, short) in [
        ("GET", w.to_owned(), Call::GetWatcher, "networkWatchers/NW"),
        (
            "GET",
            "/subscriptions/s/providers/Microsoft.Compute/virtualMachines".to_owned(),
            Call::ListVirtualMachines,
            "virtualMachines",
        ),
        (
            "GET",
            "/subscriptions/s/resourceGroups/g/providers/microsoft.compute/virtualmachines"
                .to_owned(),
            Call::ListVirtualMachines,
            "virtualmachines",
        ),
        (
            "GET",
            captures.clone(),
            Call::ListCaptures,
            "packetCaptures",
        ),
        (
            "PUT",
            format!("{captures}/a%2Bb"),
            Call::PutCapture,
            "packetCaptures/a+b",
        ),
        (
            "POST",
            format!("{captures}/a/queryStatus"),
            Call::QueryStatus,
            "packetCaptures/a/queryStatus",
        ),
        (
            "GET",
            format!("{w}/providers/Microsoft.Authorization/permissions"),
            Call::ListPermissions,
            "permissions",
        ),
        (
            "POST",
            "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a/changestate".to_owned(),
            Call::ChangeAlertState,
            "alert changestate",
        ),
        (
            "PATCH",
            format!("{captures}/a"),
            Call::Unknown,
            "packetCaptures/a",
        ),
        (
            "GET",
            format!("{locations}/operations/1"),
            Call::OperationStatus,
            "operations",
        ),
        (
            "GET",
            format!("{locations}/operationResults/1"),
            Call::OperationResult,
            "operationResults",
        ),
        (
            "POST",
            "/tenant/oauth2/v2.0/token".to_owned(),
            Call::Token,
            "token",
        ),
        (
            "GET",
            "/metadata/endpoints".to_owned(),
            Call::Endpoints,
            "metadata/endpoints",
        ),
        ("GET", "/".to_owned(), Call::Unknown, "/"),
    ] {
        let route = Route::of(method, &path, "");
        assert_eq!(
            (route.call, route.short.as_str()),
            (call, short),
            "{method} {path}"
        );
    }
}

//! What the fake Azure answers, and the alerts that lead to its being asked.

use super::SUBSCRIPTION;
use hyper::body::Bytes;

/// Machines on a page of their list.
const PAGE: usize = 1_000;

/// The id of a machine. Its region is the number behind the last point of its name.
pub fn machine_id(name: &str) -> String {
    format!(
        "{SUBSCRIPTION}/resourceGroups/rg-load/providers/Microsoft.Compute/virtualMachines/{name}"
    )
}

/// A fired classic alert, which says the region, or one in the common schema, which does not.
pub fn alert(machine: &str, region: usize, common: bool) -> String {
    let id = machine_id(machine);
    let alert = match common {
        false => serde_json::json!({
            "status": "Activated",
            "context": {
                "timestamp": "2026-11-23T01:02:03.0000000Z",
                "id": format!("{SUBSCRIPTION}/resourceGroups/rg-load/providers/microsoft.insights/alertrules/{machine}"),
                "name": "tcp-burst",
                "conditionType": "Metric",
                "condition": {"metricName": "TCP Segments Sent", "metricValue": "171", "threshold": "100", "operator": "GreaterThan"},
                "resourceType": "Microsoft.Compute/virtualMachines",
                "resourceId": id,
                "resourceRegion": format!("region{region}")
            },
            "properties": {}
        }),
        true => serde_json::json!({
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": format!("{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{machine}"),
                    "alertRule": "tcp-burst", "severity": "Sev2", "signalType": "Metric",
                    "monitorCondition": "Fired", "monitoringService": "Platform",
                    "alertTargetIDs": [id], "firedDateTime": "2026-11-23T01:02:03.4567891Z"
                },
                "alertContext": {"condition": {"allOf": [{"metricName": "TCP Segments Sent", "operator": "GreaterThan", "threshold": "100", "metricValue": 171}]}}
            }
        }),
    };
    alert.to_string()
}

/// The name of the region of a machine.
pub fn region_of(machine: &str) -> String {
    format!("region{}", machine.rsplit('.').next().unwrap_or("0"))
}

/// A page of the list of these machines, and of `others` more; `page` counts from zero.
pub fn machines(named: &[String], others: usize, page: usize, endpoint: &str) -> Bytes {
    let others = (0..others).map(|n| format!("other{n:05}.{}", n % 16));
    let all = named.iter().cloned().chain(others);
    let listed: Vec<_> = all
        .skip(page * PAGE)
        .take(PAGE)
        .map(|name| {
            serde_json::json!({
                "name": name, "id": machine_id(&name), "location": region_of(&name),
                "type": "Microsoft.Compute/virtualMachines",
                "properties": {
                    "vmId": "5c0d1f3e-9a52-4b7c-8a36-1d2e3f405162", "provisioningState": "Succeeded",
                    "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                    "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}}
                }
            })
        })
        .collect();
    let mut body = serde_json::json!({ "value": listed });
    if listed.len() == PAGE {
        let next = page + 1;
        body["nextLink"] = format!(
            "{endpoint}{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines?api-version=1&page={next}"
        )
        .into();
    }
    body.to_string().into()
}

pub fn watchers(count: usize) -> Bytes {
    let watcher = |n| {
        serde_json::json!({
            "id": format!("{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_region{n}"),
            "name": format!("NetworkWatcher_region{n}"), "location": format!("region{n}"), "properties": {"provisioningState": "Succeeded"}
        })
    };
    let all: Vec<_> = (0..count).map(watcher).collect();
    serde_json::json!({ "value": all }).to_string().into()
}

/// About 1.5 KB each, as Azure's are with some filters.
pub fn capture(name: &str) -> String {
    let filter = serde_json::json!({"protocol": "TCP", "localIPAddress": "10.0.0.0-10.0.255.255", "localPort": "1-65535", "remoteIPAddress": "", "remotePort": "443"});
    serde_json::json!({
        "name": name,
        "id": format!("{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/nw/packetCaptures/{name}"),
        "etag": "W/\"3f2c7a10-0000-4000-8000-000000000000\"",
        "properties": {
            "provisioningState": "Succeeded",
            "target": format!("{SUBSCRIPTION}/resourceGroups/rg-load/providers/Microsoft.Compute/virtualMachines/{name}"),
            "bytesToCapturePerPacket": 0, "totalBytesPerSession": 1073741824u64, "timeLimitInSeconds": 10,
            "storageLocation": {
                "storageId": format!("{SUBSCRIPTION}/resourceGroups/rg-load/providers/Microsoft.Storage/storageAccounts/stcaptures"),
                "storagePath": format!("https://stcaptures.blob.core.windows.net/network-watcher-logs{SUBSCRIPTION}/resourcegroups/rg-load/providers/microsoft.compute/virtualmachines/{name}/2026/11/23/packetcapture_01_02_03_456.cap")
            },
            "filters": [filter, filter, filter, filter]
        }
    })
    .to_string()
}

pub fn captures(count: usize) -> Vec<Bytes> {
    let mut pieces = vec![String::from("{\"value\":[")];
    for n in 0..count {
        if pieces.last().is_some_and(|piece| piece.len() > 32 * 1024) {
            pieces.push(String::new());
        }
        let piece = pieces.last_mut().expect("one is there");
        if n > 0 {
            piece.push(',');
        }
        piece.push_str(&capture(&format!("of-another-user-{n:05}")));
    }
    pieces.into_iter().map(Bytes::from).collect()
}

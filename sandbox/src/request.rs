//! The body of a create, read as strictly as the network provider reads it: an unknown member, a
//! wrong type or a value out of range is refused, so a client's mistake shows up in a test.

use serde_json::{Value, json};

use super::answer::{Answer, bad_format, gateway_error};
use super::capture::Wanted;
use super::members::{Object, boolean, integer, invalid, object, text, texts, wrong_type};

/// Since this version there is continuous capture.
const CONTINUOUS_SINCE: &str = "2023-11-01";
const UINT32: i64 = 4_294_967_295;

/// Reads what does not depend on the rest of the world.
pub(super) fn wanted(body: &[u8], api_version: &str) -> Result<Wanted, Answer> {
    let body: Value = serde_json::from_slice(body).map_err(|_| {
        let message = "The request content was invalid and could not be deserialized.";
        gateway_error(400, "InvalidRequestContent", message)
    })?;
    let top = object(
        &body,
        "PacketCapture",
        &["properties", "id", "name", "type", "etag"],
    )?;
    let mut members = vec![
        "target",
        "targetType",
        "scope",
        "storageLocation",
        "bytesToCapturePerPacket",
        "totalBytesPerSession",
        "timeLimitInSeconds",
        "filters",
        "provisioningState",
    ];
    let mut places = vec!["storageId", "storagePath", "filePath"];
    if api_version >= CONTINUOUS_SINCE {
        members.extend(["continuousCapture", "captureSettings"]);
        places.push("localPath");
    }
    let Some(properties) = top.get("properties") else {
        return Err(invalid("The property 'properties' is required."));
    };
    let properties = object(properties, "PacketCaptureProperties", &members)?;

    let target = text(properties, "target")?
        .filter(|target| !target.is_empty())
        .ok_or_else(|| invalid("The property 'target' is required."))?;
    let target_type = text(properties, "targetType")?.unwrap_or_else(|| "AzureVM".to_owned());
    if !["AzureVM", "AzureVMSS"].contains(&target_type.as_str()) {
        let message = format!("Error converting value \"{target_type}\" to type 'targetType'.");
        return Err(bad_format("InvalidJson", message));
    }
    let (include, exclude) = match properties.get("scope").filter(|scope| !scope.is_null()) {
        Some(scope) => {
            let scope = object(scope, "PacketCaptureScope", &["include", "exclude"])?;
            (texts(scope, "include")?, texts(scope, "exclude")?)
        }
        None => Default::default(),
    };
    if target_type == "AzureVM" && !(include.is_empty() && exclude.is_empty()) {
        return Err(invalid(
            "A scope is only valid for the target type AzureVMSS.",
        ));
    }

    let Some(location) = properties.get("storageLocation") else {
        return Err(invalid("The property 'storageLocation' is required."));
    };
    let location = object(location, "PacketCaptureStorageLocation", &places)?;
    let place = |member| Ok(text(location, member)?.filter(|value| !value.is_empty()));
    let wanted = Wanted {
        target,
        target_type,
        include,
        exclude,
        bytes_per_packet: integer(properties, "bytesToCapturePerPacket", 0, UINT32)?.unwrap_or(0)
            as u64,
        total_bytes: integer(properties, "totalBytesPerSession", 0, UINT32)?
            .unwrap_or(1_073_741_824) as u64,
        time_limit: integer(properties, "timeLimitInSeconds", 0, 18_000)?.unwrap_or(18_000) as i32,
        storage_id: place("storageId")?,
        storage_path: place("storagePath")?,
        file_path: place("filePath")?,
        local_path: place("localPath")?,
        filters: filters(properties)?,
        continuous: boolean(properties, "continuousCapture")?,
        settings: settings(properties)?,
    };
    check_places(&wanted)?;
    Ok(wanted)
}

fn check_places(wanted: &Wanted) -> Result<(), Answer> {
    let places = [
        &wanted.storage_id,
        &wanted.storage_path,
        &wanted.file_path,
        &wanted.local_path,
    ];
    if places.iter().all(|place| place.is_none()) {
        return Err(invalid(
            "A storage location needs a storageId, a filePath or a localPath.",
        ));
    }
    let path = wanted.storage_path.as_deref();
    if path.is_some_and(|path| url::Url::parse(path).map_or(true, |url| url.scheme() != "https")) {
        return Err(invalid("The storagePath is not a well-formed blob URI."));
    }
    if wanted
        .file_path
        .as_deref()
        .is_some_and(|path| !path.ends_with(".cap"))
    {
        return Err(invalid("The filePath must end in .cap."));
    }
    match wanted.continuous {
        Some(_) if wanted.file_path.is_some() => Err(invalid(
            "With continuousCapture use localPath, not filePath.",
        )),
        None if wanted.local_path.is_some() => Err(invalid(
            "The localPath is only valid with continuousCapture.",
        )),
        None if wanted.settings.is_some() => Err(invalid(
            "The captureSettings are only valid with continuousCapture.",
        )),
        _ => Ok(()),
    }
}

fn filters(properties: &Object) -> Result<Vec<Value>, Answer> {
    let Some(value) = properties.get("filters").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let Some(list) = value.as_array() else {
        return Err(wrong_type("filters"));
    };
    let parts = [
        "localIPAddress",
        "remoteIPAddress",
        "localPort",
        "remotePort",
    ];
    list.iter()
        .map(|filter| {
            let known = ["protocol", parts[0], parts[1], parts[2], parts[3]];
            let filter = object(filter, "PacketCaptureFilter", &known)?;
            let protocol = text(filter, "protocol")?.unwrap_or_else(|| "Any".to_owned());
            if !["TCP", "UDP", "Any"].contains(&protocol.as_str()) {
                let message =
                    format!("Error converting value \"{protocol}\" to type 'PcProtocol'.");
                return Err(bad_format("InvalidJson", message));
            }
            let mut answer = json!({"protocol": protocol});
            for part in parts {
                let value = text(filter, part)?.unwrap_or_default();
                let valid = match part.ends_with("Port") {
                    true => is_selection(&value, |port| port.parse::<u16>().is_ok()),
                    false => is_selection(&value, |ip| ip.parse::<std::net::IpAddr>().is_ok()),
                };
                if !valid {
                    return Err(invalid(format!(
                        "The {part} '{value}' of a filter is not valid."
                    )));
                }
                answer[part] = json!(value);
            }
            Ok(answer)
        })
        .collect()
}

/// Nothing, one item, one range `a-b`, or a list `a;b;`; never a mixture.
fn is_selection(text: &str, item: impl Fn(&str) -> bool) -> bool {
    match (text.split_once('-'), text.contains(';')) {
        (Some(_), true) => false,
        (Some((from, to)), false) => item(from) && item(to),
        (None, true) => text.split(';').filter(|part| !part.is_empty()).all(item),
        (None, false) => text.is_empty() || item(text),
    }
}

fn settings(properties: &Object) -> Result<Option<Value>, Answer> {
    let Some(value) = properties
        .get("captureSettings")
        .filter(|value| !value.is_null())
    else {
        return Ok(None);
    };
    let known = ["fileCount", "fileSizeInBytes", "sessionTimeLimitInSeconds"];
    let settings = object(value, "PacketCaptureSettings", &known)?;
    Ok(Some(json!({
        "fileCount": integer(settings, known[0], 0, 10_000)?.unwrap_or(10),
        "fileSizeInBytes": integer(settings, known[1], 0, UINT32)?.unwrap_or(104_857_600),
        "sessionTimeLimitInSeconds": integer(settings, known[2], 0, 604_800)?.unwrap_or(86_400),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(properties: Value) -> Result<Wanted, u16> {
        let body = json!({"properties": properties}).to_string();
        wanted(body.as_bytes(), "2025-05-01").map_err(|answer| answer.status)
    }

    #[test]
    fn defaults_are_the_service_s() {
        let wanted =
            verdict(json!({"target": "/vm", "storageLocation": {"storageId": "/a"}})).unwrap();
        assert_eq!(
            (wanted.time_limit, wanted.total_bytes),
            (18_000, 1_073_741_824)
        );
        assert_eq!(wanted.target_type, "AzureVM");
    }

    #[test]
    fn mistakes_are_refused() {
        for mistake in [
            json!({"tags": {}}),
            json!({"timeLimitInSeconds": "10"}),
            json!({"timeLimitInSeconds": 18_001}),
            json!({"bytesToCapturePerPacket": -1}),
            json!({"targetType": "VM"}),
            json!({"scope": {"include": ["/i"]}}),
            json!({"storageLocation": {}}),
            json!({"storageLocation": {"filePath": "/var/captures/a.pcap"}}),
            json!({"filters": [{"localPort": 80}]}),
            json!({"filters": [{"localPort": "80-85;90"}]}),
            json!({"filters": [{"remoteIPAddress": "1.1.1.1-255.255.255"}]}),
            json!({"filters": [{"protocol": "tcp"}]}),
        ] {
            let mut body = json!({"target": "/vm", "storageLocation": {"storageId": "/a"}});
            for (member, value) in mistake.as_object().unwrap() {
                body[member] = value.clone();
            }
            assert_eq!(verdict(body).err(), Some(400), "{mistake}");
        }
        for body in ["", "[]", "{}", "{\"location\":\"x\"}"] {
            assert!(wanted(body.as_bytes(), "2025-05-01").is_err(), "{body}");
        }
        let body = json!({"properties": {"target": "/vm", "continuousCapture": true,
            "storageLocation": {"localPath": "/var/captures"}}})
        .to_string();
        assert!(wanted(body.as_bytes(), "2025-05-01").is_ok());
        assert!(wanted(body.as_bytes(), "2022-01-01").is_err());
    }
}

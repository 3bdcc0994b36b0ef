//! Events for the bus, with the tags and data of Salt's `libvirt_events` engine.

use agent_api::wire;
use model::event::HostEvent;
use serde_json::{Map, Value, json};

/// Fields that are numbers in the engine's data.
const NUMBERS: [&str; 6] = [
    "utcoffset",
    "actual",
    "iteration",
    "threshold",
    "excess",
    "id",
];

/// The message for an event of the host at `uri`.
pub(super) fn message(uri: &str, event: &HostEvent) -> wire::HostEvent {
    wire::HostEvent {
        tag: tag(uri, event),
        data_json: Value::Object(data(uri, event)).to_string(),
    }
}

/// `salt/engines/libvirt_events/qemu/system/domain/lifecycle`
fn tag(uri: &str, event: &HostEvent) -> String {
    format!(
        "salt/engines/libvirt_events/{}/{}/{}",
        uri_part(uri),
        event.class,
        event.kind
    )
}

/// Scheme, host and path of a URI, joined by slashes: `qemu+ssh://root@kvm1/system` is `qemu+ssh/root@kvm1/system`.
fn uri_part(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or((uri, ""));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let parts = [scheme, host, path.trim_matches('/')];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

fn data(uri: &str, event: &HostEvent) -> Map<String, Value> {
    let mut data = Map::new();
    let uuid = event.object.uuid.map(|uuid| uuid.to_string());
    match event.class {
        "domain" => {
            let id = event.object.domain_id.map_or(-1, i64::from);
            data.insert(
                "domain".to_owned(),
                json!({ "name": event.object.name, "id": id, "uuid": uuid }),
            );
            data.insert("event".to_owned(), json!(event.kind));
        }
        "secret" => {
            data.insert("secret".to_owned(), json!({ "uuid": uuid }));
        }
        "nodedev" => {
            data.insert("nodedev".to_owned(), json!({ "name": event.object.name }));
        }
        class => {
            data.insert(
                class.to_owned(),
                json!({ "name": event.object.name, "uuid": uuid }),
            );
        }
    }
    for (key, text) in &event.fields {
        let number = NUMBERS
            .contains(key)
            .then(|| text.parse::<i64>().ok())
            .flatten();
        data.insert(
            (*key).to_owned(),
            number.map_or_else(|| json!(text), |number| json!(number)),
        );
    }
    data.insert("uri".to_owned(), json!(uri));
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::EventObject;
    use uuid::Uuid;

    #[test]
    fn tags_and_data_are_those_of_the_engine() {
        let event = HostEvent {
            class: "domain",
            kind: "lifecycle",
            object: EventObject {
                name: "srv01".to_owned(),
                uuid: Some(Uuid::nil()),
                domain_id: None,
            },
            fields: vec![
                ("event", "stopped".to_owned()),
                ("detail", "destroyed".to_owned()),
            ],
        };
        let message = message("qemu:///system", &event);
        assert_eq!(
            message.tag,
            "salt/engines/libvirt_events/qemu/system/domain/lifecycle"
        );
        let data: Value = serde_json::from_str(&message.data_json).expect("JSON");
        let expected = json!({
            "domain": {"name": "srv01", "id": -1, "uuid": "00000000-0000-0000-0000-000000000000"},
            "event": "stopped", "detail": "destroyed", "uri": "qemu:///system",
        });
        assert_eq!(data, expected);
        assert_eq!(
            uri_part("qemu+ssh://user@host:1234/system?no_verify=1"),
            "qemu+ssh/user@host:1234/system"
        );
    }
}

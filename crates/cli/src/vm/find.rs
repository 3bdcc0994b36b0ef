//! From a name to one VM.

use crate::Failure;
use crate::nearest::nearest;
use client::{Client, ClientError, ListQuery};
use server_api::vm::Vm;
use uuid::Uuid;

/// The VM called `name` (or with this id), on `host` if one is given.
pub(super) async fn get_vm(client: &Client, name: &str, host: Option<&str>) -> Result<Vm, Failure> {
    if let Ok(id) = name.parse::<Uuid>()
        && let Some(vm) = by_id(client, id).await?
    {
        return Ok(vm);
    }
    let query = ListQuery {
        search: Some(name.to_owned()),
        host: host.map(str::to_owned),
        ..ListQuery::default()
    };
    let found = client.vms(&query).await?;
    match pick(name, host, found) {
        Pick::One(vm) => Ok(*vm),
        Pick::Many(failure) => Err(failure),
        Pick::None => Err(missing(client, name, host).await),
    }
}

async fn by_id(client: &Client, id: Uuid) -> Result<Option<Vm>, Failure> {
    match client.vm(id).await {
        Ok(detail) => Ok(Some(detail.vm)),
        // A VM may also be called like an id.
        Err(ClientError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

enum Pick {
    One(Box<Vm>),
    Many(Failure),
    None,
}

/// Chooses by exact name; a search also finds names that only contain it.
fn pick(name: &str, host: Option<&str>, found: Vec<Vm>) -> Pick {
    let exact = |vm: &Vm| vm.name == name && host.is_none_or(|host| vm.host.name == host);
    let mut matching: Vec<Vm> = found.into_iter().filter(exact).collect();
    match matching.len() {
        0 => Pick::None,
        1 => Pick::One(Box::new(matching.remove(0))),
        _ => {
            let mut hosts: Vec<&str> = matching.iter().map(|vm| vm.host.name.as_str()).collect();
            hosts.sort_unstable();
            let message = format!("several hosts have a VM {name}: {}", hosts.join(", "));
            Pick::Many(Failure::new(message).hint(format!("say which one: --host {}", hosts[0])))
        }
    }
}

/// Says that there is no such VM, with the nearest name there is.
async fn missing(client: &Client, name: &str, host: Option<&str>) -> Failure {
    let place = host.map(|host| format!(" on {host}")).unwrap_or_default();
    let failure = Failure::new(format!("there is no VM {name}{place}"));
    let query = ListQuery {
        host: host.map(str::to_owned),
        ..ListQuery::default()
    };
    // The names are only for the hint; without them the message is still right.
    let all = client.vms(&query).await.unwrap_or_default();
    match nearest(name, all.iter().map(|vm| vm.name.as_str())) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure.hint("the VMs there are: salar vm list"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::vm;
    use expect_test::expect;

    #[test]
    fn a_name_on_two_hosts_is_ambiguous_until_the_host_is_given() {
        let found = || {
            vec![
                vm("srv01", "kvm2"),
                vm("srv01", "kvm1"),
                vm("srv010", "kvm3"),
            ]
        };
        let Pick::Many(failure) = pick("srv01", None, found()) else {
            panic!("not ambiguous")
        };
        expect![[r#"
            Error: several hosts have a VM srv01: kvm1, kvm2
            Hint: say which one: --host kvm1
        "#]]
        .assert_eq(&failure.to_string());
        let Pick::One(one) = pick("srv01", Some("kvm2"), found()) else {
            panic!("not found")
        };
        assert_eq!(one.host.name, "kvm2");
        let Pick::One(one) = pick("srv010", None, found()) else {
            panic!("not found")
        };
        assert_eq!(one.host.name, "kvm3");
        assert!(matches!(pick("srv", None, found()), Pick::None));
    }
}

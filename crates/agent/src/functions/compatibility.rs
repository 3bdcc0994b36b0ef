//! `docs/salt-compatibility.md`, written from the table of functions and the catalog of states.
//!
//! `UPDATE_DOCS=1 cargo test -p agent compatibility` writes it anew; without, the test compares.

use super::absent;
use super::table::{Access, all};
use sls::Catalog;
use std::fmt::Write as _;
use std::path::Path;

/// Where this program does another thing than Salt, on purpose; each names the behaviour as it is here.
const DIFFERENCES: &[&str] = &[
    "`test=True` touches nothing: no volume is made, no autostart flag set. The result is `None` exactly when something would change.",
    "An object that is there is edited, never replaced: what a state does not mention stays, unknown XML included.",
    "Pools and networks are compared only in what the state says, so that a second run changes nothing.",
    "`autostart` not given for a VM leaves it alone; given, it is also applied to a new VM, and reported as a change. `stop_on_reboot` not given means False, as in Salt.",
    "A running VM that refuses a live change keeps the result True and Salt's comment; what still waits for the next start is said on every run until it is true.",
    "`mem` may be a size with a unit: `1g`.",
    "A pool that a disk names must exist and run. Only a name with a `/` is a folder.",
    "A block device as `source_file` becomes a block disk.",
    "A profile that is not configured is an error, but for `default`: Salt takes the built-in one for any name.",
    "Values that contradict one another, and a bridge, an address, a folder or a MAC address that another object has, are refused before anything is touched.",
    "`serials` and `consoles` are compared in all that is declared, also `path`, `host` and `target_type`; a `udp` one sends to `host` and `port`, since libvirt refuses it otherwise.",
    "`cpu: topology: dies` and a disk's `iothread_id` can be changed later.",
    "`size` with `image` grows the new volume to that size; an image that is larger stays as large as it is.",
    "A step that fails takes back what the same state did before it. Comments are sentences and never a Python trace.",
    "An unknown argument of a state is an error of compiling, told for all states at once with file and line.",
    "A requisite that names nothing, `listen` and `listen_in` as well, is an error of compiling: nothing runs.",
    "A result has all its fields also where a state could not be called (`mod_watch` of a virt state that listens).",
    "A slot (`__slot__:salt:…`) is an error of compiling that names the template to write: a plan knows every value.",
    "`check_cmd` has its word where a state was carried out; in a test it is not run, since it judges what is not there yet.",
    "A query of the filter `json_query` has at most 64 steps. The filters `http_query` and `dns_check` are refused: see the functions of their names above.",
    "`file.*` and `network.*` only look, and not on a described host; `network.*` reads what `ip` says.",
    "`set_autostart` and its like take booleans, which YAML makes of `on` and `off`.",
    "The pillars of several environments are merged in the order of the top files, that of `base` first; with Salt chance decides. `pillarenv` names the only one, as Salt documents it; `salt-call --local` merges all the same.",
    "An environment that no file roots have is told alone, without the SLS that are not in it.",
    "A minion's configuration that cannot be read, or whose settings cannot be, ends the call; Salt goes on without it.",
    "Functions refuse arguments that they do not take, and a `connection` that is another hypervisor; `username` and `password` are not used.",
    "`seed`, `install`, `pub_key`, `priv_key` and `seed_cmd` are accepted and do nothing: nothing is written into a disk.",
    "`virt.init` refuses a name that is taken before it touches anything; `virt.pool_define`, `virt.network_define` and `virt.volume_define` change what is there.",
    "`virt.pool_define` makes the storage where there is none.",
    "`virt.purge` deletes volumes of running pools and files of the host, and refuses disks that another VM has; `dirs` removes folders that are empty then, where Salt removes all that is in them.",
    "`virt.volume_upload` with `sparse=True` leaves out stretches of zeros, whether or not they are holes of the file.",
    "`virt.vm_netstats` counts every interface of the running VM; Salt counts those with a target in the definition, which is usually none.",
    "`virt.volume_infos` counts a VM among `used_by` also where its disk names pool and volume.",
    "`virt.is_hyper` asks libvirt rather than the list of processes, so that hosts with modular daemons count.",
];

/// The whole page.
fn page() -> String {
    let mut page = String::from(
        "# Compatibility with Salt\n\n\
         What of Salt's virtualization is here, what is not, and what is different on purpose. This page is written by a\n\
         test from the tables that the program works with: `UPDATE_DOCS=1 cargo test -p agent compatibility`.\n",
    );
    states(&mut page);
    functions(&mut page);
    page.push_str("\n## Deliberate differences\n\n");
    for difference in DIFFERENCES {
        line(&mut page, format_args!("- {difference}"));
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments) {
    writeln!(page, "{text}").expect("a text can be written to");
}

fn states(page: &mut String) {
    let catalog = states::catalog();
    page.push_str("\n## States\n\n| state | arguments |\n| --- | --- |\n");
    for module in catalog.modules() {
        let mut names = catalog.functions(&module).unwrap_or_default();
        names.sort();
        for name in names {
            let arguments = catalog.arguments(&module, &name);
            let arguments = arguments.map_or("any".to_owned(), |names| {
                format!("`{}`", names.join("`, `"))
            });
            line(page, format_args!("| `{module}.{name}` | {arguments} |"));
        }
    }
}

fn functions(page: &mut String) {
    page.push_str(
        "\n## Functions\n\nEvery `virt` function also takes `connection`, `username` and `password`. Those that only read can be\n\
         called in templates (`salt['virt.list_domains']()`), but for `state.*`.\n\n| function | access | what it does |\n| --- | --- | --- |\n",
    );
    let mut functions: Vec<_> = all().collect();
    functions.sort_by_key(|function| function.name);
    for function in functions {
        let access = match function.access {
            Access::Reads => "reads",
            Access::Changes => "changes",
        };
        let purpose = function
            .doc
            .split_once("\n\n")
            .map_or("", |(_, purpose)| purpose);
        let purpose = purpose.replace('|', "\\|").replace('\n', " ");
        line(
            page,
            format_args!(
                "| `{}({})` | {access} | {purpose} |",
                function.name, function.signature
            ),
        );
    }
    page.push_str("\nFunctions of Salt that are not here:\n\n");
    for (name, reason) in absent::FUNCTIONS {
        line(page, format_args!("- `{name}`: {reason}"));
    }
}

#[test]
fn the_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/salt-compatibility.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/salt-compatibility.md is not what the tables say; run: UPDATE_DOCS=1 cargo test -p agent compatibility"
    );
}

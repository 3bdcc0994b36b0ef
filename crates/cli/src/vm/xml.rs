//! `salar vm xml`.

use super::find::get_vm;
use crate::output::{print, print_json};
use crate::{Failure, Outcome};
use client::Client;

/// Print libvirt's definition of a VM
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name or id of the VM
    name: String,

    /// The host it is on, when several have a VM of this name
    #[arg(long)]
    host: Option<String>,

    /// The definition that runs, not the one of the next start
    #[arg(long)]
    live: bool,

    /// Print both definitions as JSON
    #[arg(long, conflicts_with = "live")]
    json: bool,
}

pub(super) async fn run(client: &Client, args: Args) -> Result<Outcome, Failure> {
    let found = get_vm(client, &args.name, args.host.as_deref()).await?;
    let xml = client.vm_xml(found.id).await?;
    if args.json {
        print_json(&xml)?;
        return Ok(Outcome::Done);
    }
    let (text, missing) = if args.live {
        (xml.live, format!("VM {} is not running", found.name))
    } else {
        (
            xml.persistent,
            format!(
                "VM {} is transient: it has no definition for a next start",
                found.name
            ),
        )
    };
    let Some(text) = text else {
        let other = if args.live {
            "leave out --live"
        } else {
            "add --live"
        };
        return Err(Failure::new(missing).hint(format!("for the other definition {other}")));
    };
    print(&format!("{}\n", outputter::visible(text.trim_end())))?;
    Ok(Outcome::Done)
}

//! The libvirt calls that applying a VM, its pool and its network needs when nothing has to change, and nothing
//! else: what a state run is measured against.
//!
//! ```text
//! bare_calls bare|driver URI VM POOL NETWORK [ROUNDS]
//! ```
//!
//! `bare` calls libvirt directly on one connection, `driver` goes through [`LibvirtHypervisor`]. Every round opens
//! and closes its own connection, as a program that runs once does. Prints one JSON object of microseconds.

use hypervisor::{Hypervisor, Key};
use libvirt_driver::{LibvirtHypervisor, Options};
use std::error::Error;
use std::time::{Duration, Instant};
use virt::connect::Connect;
use virt_sys as sys;

struct Names {
    uri: String,
    vm: String,
    pool: String,
    network: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [way, uri, vm, pool, network, rest @ ..] = args.as_slice() else {
        eprintln!("usage: bare_calls bare|driver URI VM POOL NETWORK [ROUNDS]");
        std::process::exit(2);
    };
    let names = Names {
        uri: uri.clone(),
        vm: vm.clone(),
        pool: pool.clone(),
        network: network.clone(),
    };
    let rounds: usize = rest.first().map_or(Ok(20), |text| text.parse())?;
    virt::error::clear_error_callback();
    // Kept open so that the in-process test driver does not start from nothing in every round.
    let _keep = Connect::open(Some(uri))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut took = Vec::with_capacity(rounds);
    for _ in 0..rounds.max(1) {
        let started = Instant::now();
        if way == "driver" {
            runtime.block_on(driver(&names))?;
        } else {
            bare(&names)?;
        }
        took.push(started.elapsed());
    }
    took.sort();
    let micros = |duration: &Duration| duration.as_micros();
    let (least, median) = (micros(&took[0]), micros(&took[took.len() / 2]));
    println!(
        "{{\"way\":\"{way}\",\"rounds\":{rounds},\"least_us\":{least},\"median_us\":{median}}}"
    );
    Ok(())
}

/// Open, the capabilities, and one reading of the network, the pool and the VM.
fn bare(names: &Names) -> Result<(), Box<dyn Error>> {
    let connect = Connect::open(Some(&names.uri))?;
    connect.capabilities()?;
    let network = connect.lookup_network_by_name(&names.network)?;
    if network.is_active()? {
        network.xml_desc(0)?;
    }
    network.is_persistent()?;
    network.autostart()?;
    // The test driver knows no inactive form; asking for it is a call all the same.
    let _ = network.xml_desc(sys::VIR_NETWORK_XML_INACTIVE);

    let pool = connect.lookup_storage_pool_by_name(&names.pool)?;
    if pool.is_active()? {
        pool.xml_desc(0)?;
        pool.num_of_volumes()?;
    }
    pool.is_persistent()?;
    pool.autostart()?;
    let _ = pool.xml_desc(sys::VIR_STORAGE_XML_INACTIVE);

    let vm = connect.lookup_domain_by_name(&names.vm)?;
    vm.state()?;
    vm.xml_desc(0)?;
    vm.is_persistent()?;
    vm.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?;
    vm.autostart()?;
    vm.has_managed_save(0)?;
    Ok(())
}

/// The same through the driver.
async fn driver(names: &Names) -> Result<(), Box<dyn Error>> {
    let host = LibvirtHypervisor::open(&names.uri, Options::default());
    host.capabilities_xml().await?;
    let found = (
        host.find_network(&Key::Name(names.network.clone())).await?,
        host.find_pool(&Key::Name(names.pool.clone())).await?,
        host.find_vm(&Key::Name(names.vm.clone())).await?,
    );
    match found {
        (Some(_), Some(_), Some(_)) => Ok(()),
        _ => Err("one of them is not there".into()),
    }
}

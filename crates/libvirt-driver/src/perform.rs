//! One step of a plan as libvirt calls.

use crate::failure::{Failure, Result};
use crate::options::Options;
use crate::read::network::find_network;
use crate::read::pool::find_pool;
use crate::read::vm::find_domain;
use crate::{ffi, migrate, secrets, snapshot, tune, xen};
use domxml::device::HostDevice;
use hypervisor::{Key, Reason};
use model::lifecycle::Request;
use model::plan::{
    ListChange, NetworkOp, NetworkSection, PoolOp, SecretName, SecretOp, SecretUsage, Step, VmOp,
    VolumeOp,
};
use std::time::Duration;
use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::secret::Secret;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt_sys as sys;

/// How long a step may take.
pub(crate) const fn limit(step: &Step, options: &Options) -> Duration {
    match step {
        Step::Pool {
            op: PoolOp::Define { .. } | PoolOp::Autostart(_) | PoolOp::Undefine,
            ..
        }
        | Step::Network {
            op: NetworkOp::Define { .. } | NetworkOp::Autostart(_) | NetworkOp::Undefine,
            ..
        } => options.change_limit,
        Step::Vm { op, .. } => match op {
            VmOp::Life(Request::Start | Request::ForceOff | Request::Save)
            | VmOp::CreateTransient { .. }
            | VmOp::TakeSnapshot { .. }
            | VmOp::RevertTo { .. }
            | VmOp::DeleteSnapshot { .. } => options.work_limit,
            VmOp::Migrate(_) => options.stall_limit,
            _ => options.change_limit,
        },
        Step::Secret { .. } | Step::File { .. } => options.change_limit,
        Step::Pool { .. } | Step::Volume { .. } | Step::Network { .. } => options.work_limit,
    }
}

/// Does `step`. Detaching a device only asks for it; waiting for the guest is the caller's.
pub(crate) fn perform(connect: &Connect, step: &Step) -> Result<()> {
    match step {
        Step::Pool { name, op } => pool_op(connect, name, op),
        Step::Volume { pool, name, op } => volume_op(connect, pool, name, op),
        Step::Network { name, op } => network_op(connect, name, op),
        Step::Vm { name, op } => vm_op(connect, name, op),
        Step::Secret { secret, op } => secret_op(connect, secret, op),
        Step::File { .. } => {
            let why = "files of the host are written by the executor";
            Err(Failure::new(Reason::Unsupported, why))
        }
    }
}

/// The secret of this use; `None` when it is not there.
pub(crate) fn find_secret(connect: &Connect, secret: &SecretName) -> Result<Option<Secret>> {
    let usage = match secret.usage {
        SecretUsage::Ceph => sys::VIR_SECRET_USAGE_TYPE_CEPH,
        SecretUsage::Iscsi => sys::VIR_SECRET_USAGE_TYPE_ISCSI,
    };
    let found = connect.lookup_secret_by_usage(usage.cast_signed(), &secret.id);
    match found.map_err(Failure::from) {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.reason == Reason::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn secret_op(connect: &Connect, secret: &SecretName, op: &SecretOp) -> Result<()> {
    if let SecretOp::Define { xml } = op {
        connect.define_secret_xml(xml, 0)?;
        return Ok(());
    }
    let found = find_secret(connect, secret)?
        .ok_or_else(|| Failure::new(Reason::NotFound, format!("there is no secret {secret}")))?;
    match op {
        SecretOp::Define { .. } => {}
        SecretOp::SetValue { value } => found.set_value(&value.0, 0)?,
        SecretOp::Undefine => found.undefine()?,
    }
    Ok(())
}

fn pool_op(connect: &Connect, name: &str, op: &PoolOp) -> Result<()> {
    match op {
        PoolOp::Define { xml } => {
            connect.define_storage_pool_xml(xml, 0)?;
            return Ok(());
        }
        PoolOp::CreateTransient { xml } => return create_pool(connect, xml),
        _ => {}
    }
    let pool = get_pool(connect, name)?;
    match op {
        PoolOp::Define { .. } | PoolOp::CreateTransient { .. } => {}
        PoolOp::Build => pool.build(build_flags(&pool)?)?,
        PoolOp::Start => pool.create(0)?,
        PoolOp::Stop => pool.destroy()?,
        PoolOp::Refresh => pool.refresh(0)?,
        PoolOp::Autostart(on) => pool.set_autostart(*on)?,
        PoolOp::Delete => pool.delete(sys::VIR_STORAGE_POOL_DELETE_NORMAL)?,
        PoolOp::Undefine => pool.undefine()?,
    }
    Ok(())
}

/// Starts a pool that nothing defines. Its storage is made where that loses nothing; drivers without a disk behind them
/// know no such flag.
fn create_pool(connect: &Connect, xml: &str) -> Result<()> {
    let kind = domxml::pool::read(xml)?.kind;
    let build = match kind.as_str() {
        "dir" | "netfs" | "vstorage" => sys::VIR_STORAGE_POOL_CREATE_WITH_BUILD,
        "fs" | "disk" | "logical" | "zfs" => sys::VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
        _ => 0,
    };
    let created = connect.create_storage_pool_xml(xml, build);
    match created.map_err(Failure::from) {
        Err(failure) if build != 0 && failure.is_unsupported() => {
            connect.create_storage_pool_xml(xml, 0)?;
        }
        created => drop(created?),
    }
    Ok(())
}

/// Kinds whose build writes to a device are told not to overwrite what is on it; the others know no such flag.
fn build_flags(pool: &StoragePool) -> Result<u32> {
    let kind = domxml::pool::read(&pool.xml_desc(0)?)?.kind;
    Ok(match kind.as_str() {
        "fs" | "disk" | "logical" => sys::VIR_STORAGE_POOL_BUILD_NO_OVERWRITE,
        _ => sys::VIR_STORAGE_POOL_BUILD_NEW,
    })
}

fn volume_op(connect: &Connect, pool: &str, name: &str, op: &VolumeOp) -> Result<()> {
    let pool = get_pool(connect, pool)?;
    match op {
        VolumeOp::Create { xml } => {
            StorageVol::create_xml(&pool, xml, 0)?;
        }
        VolumeOp::CreateFromImage { .. } | VolumeOp::Write { .. } => {
            let why = "a volume is filled in several calls, by the executor";
            return Err(Failure::new(Reason::Unsupported, why));
        }
        VolumeOp::Resize { capacity } => {
            pool.lookup_storage_vol_by_name(name)?
                .resize(capacity.0, 0)?;
        }
        VolumeOp::Delete => pool.lookup_storage_vol_by_name(name)?.delete(0)?,
    }
    Ok(())
}

fn network_op(connect: &Connect, name: &str, op: &NetworkOp) -> Result<()> {
    if let NetworkOp::Define { xml } = op {
        connect.define_network_xml(xml)?;
        return Ok(());
    }
    let key = Key::Name(name.to_owned());
    let network = find_network(connect, &key)?.ok_or_else(|| absent("network", name))?;
    match op {
        NetworkOp::Define { .. } => {}
        NetworkOp::Start => network.create()?,
        NetworkOp::Stop => network.destroy()?,
        NetworkOp::Autostart(on) => network.set_autostart(*on)?,
        NetworkOp::Update {
            section,
            change,
            parent_index,
            xml,
            live,
        } => {
            let mut flags = 0;
            if *live {
                flags |= sys::VIR_NETWORK_UPDATE_AFFECT_LIVE;
            }
            if network.is_persistent()? {
                flags |= sys::VIR_NETWORK_UPDATE_AFFECT_CONFIG;
            }
            let (change, section) = (command_number(*change), section_number(*section));
            network.update(change, section, *parent_index, xml, flags)?;
        }
        NetworkOp::Undefine => network.undefine()?,
    }
    Ok(())
}

const fn command_number(change: ListChange) -> sys::virNetworkUpdateCommand {
    match change {
        ListChange::Add => sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
        ListChange::Modify => sys::VIR_NETWORK_UPDATE_COMMAND_MODIFY,
        ListChange::Delete => sys::VIR_NETWORK_UPDATE_COMMAND_DELETE,
    }
}

const fn section_number(section: NetworkSection) -> sys::virNetworkUpdateSection {
    match section {
        NetworkSection::DhcpHost => sys::VIR_NETWORK_SECTION_IP_DHCP_HOST,
        NetworkSection::DhcpRange => sys::VIR_NETWORK_SECTION_IP_DHCP_RANGE,
        NetworkSection::Portgroup => sys::VIR_NETWORK_SECTION_PORTGROUP,
        NetworkSection::DnsHost => sys::VIR_NETWORK_SECTION_DNS_HOST,
        NetworkSection::DnsTxt => sys::VIR_NETWORK_SECTION_DNS_TXT,
        NetworkSection::DnsSrv => sys::VIR_NETWORK_SECTION_DNS_SRV,
        NetworkSection::ForwardInterface => sys::VIR_NETWORK_SECTION_FORWARD_INTERFACE,
    }
}

fn vm_op(connect: &Connect, name: &str, op: &VmOp) -> Result<()> {
    match op {
        VmOp::Define { xml } => return define_vm(connect, xml),
        VmOp::CreateTransient { xml } => {
            connect.create_domain_xml(xml, 0)?;
            return Ok(());
        }
        _ => {}
    }
    let domain = get_domain(connect, name)?;
    xen::leave_alone(&domain)?;
    match op {
        VmOp::Define { .. } | VmOp::CreateTransient { .. } => {}
        VmOp::Autostart(on) => domain.set_autostart(*on)?,
        VmOp::Life(request) => life(&domain, *request)?,
        VmOp::AttachLive { xml } => {
            domain.attach_device_flags(xml, sys::VIR_DOMAIN_DEVICE_MODIFY_LIVE)?;
        }
        VmOp::DetachLive { xml } => ask_detach(&domain, xml)?,
        VmOp::UpdateLive { xml } => {
            domain.update_device_flags(xml, sys::VIR_DOMAIN_DEVICE_MODIFY_LIVE)?;
        }
        VmOp::VcpusLive(count) => {
            domain.set_vcpus_flags(*count, sys::VIR_DOMAIN_VCPU_LIVE)?;
        }
        VmOp::MemoryLive(size) => {
            domain.set_memory_flags(size.kib(), sys::VIR_DOMAIN_MEM_LIVE)?;
        }
        VmOp::TuneLive(tuning) => tune::tune(&domain, tuning)?,
        VmOp::Migrate(migration) => migrate::run(connect, name, migration)?,
        VmOp::StartPostcopy => migrate::start_postcopy(connect, name)?,
        VmOp::SendKeys { codes } => send_keys(&domain, codes)?,
        VmOp::TakeSnapshot { name, .. } => snapshot::take(&domain, name)?,
        VmOp::RevertTo { snapshot } => snapshot::revert(&domain, snapshot)?,
        VmOp::DeleteSnapshot { snapshot } => snapshot::delete(&domain, snapshot)?,
        VmOp::Undefine => undefine(&domain)?,
        VmOp::Purge => purge(&domain)?,
    }
    Ok(())
}

/// Writes the definition, with the passwords that it had and that were never shown to whoever wrote the new one.
fn define_vm(connect: &Connect, xml: &str) -> Result<()> {
    let name = domxml::domain::read(xml)?.name;
    let old = match find_domain(connect, &Key::Name(name))? {
        Some(domain) => {
            xen::leave_alone(&domain)?;
            let flags = sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE;
            domain.xml_desc(flags).ok()
        }
        None => None,
    };
    let kept = old.and_then(|old| secrets::keep_passwords(xml, &old));
    connect.define_domain_xml(kept.as_deref().unwrap_or(xml))?;
    Ok(())
}

fn life(domain: &Domain, request: Request) -> Result<()> {
    match request {
        Request::Start => domain.create()?,
        Request::Shutdown => domain.shutdown()?,
        Request::Reboot => domain.reboot(0)?,
        Request::ForceOff => domain.destroy()?,
        Request::Save => domain.managed_save(0)?,
        Request::Reset => domain.reset()?,
        Request::Pause => domain.suspend()?,
        Request::Resume => {
            let (state, _) = ffi::domain_state(domain)?;
            if state.cast_unsigned() == sys::VIR_DOMAIN_PMSUSPENDED {
                domain.pm_wakeup(0)?;
            } else {
                domain.resume()?;
            }
        }
    }
    Ok(())
}

/// Keys that are down together, and let go at once.
fn send_keys(domain: &Domain, codes: &[u32]) -> Result<()> {
    let mut codes = codes.to_vec();
    let count = i32::try_from(codes.len()).unwrap_or(i32::MAX);
    domain.send_key(sys::VIR_KEYCODE_SET_LINUX, 0, codes.as_mut_ptr(), count, 0)?;
    Ok(())
}

/// Asks the guest to let go of a device. A guest that was asked before and thinks about it is asked already.
fn ask_detach(domain: &Domain, xml: &str) -> Result<()> {
    let asked = domain
        .detach_device_flags(xml, sys::VIR_DOMAIN_DEVICE_MODIFY_LIVE)
        .map_err(Failure::from);
    match asked {
        Err(failure) if failure.message.contains("already in the process of unplug") => Ok(()),
        other => other,
    }
}

/// Keeps UEFI variables, as it keeps disks. Managed saves and snapshots are data: with one of them libvirt refuses.
fn undefine(domain: &Domain) -> Result<()> {
    let kept = domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
    match kept.map_err(Failure::from) {
        Err(failure) if failure.is_unsupported() => Ok(domain.undefine()?),
        other => other,
    }
}

/// Takes with it what libvirt keeps beside the definition. Drivers differ in the flags they know (Xen has only managed
/// saves), and a flag they do not know stands for something they do not keep.
fn purge(domain: &Domain) -> Result<()> {
    let snapshots = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
    for flags in [
        snapshots | sys::VIR_DOMAIN_UNDEFINE_NVRAM,
        snapshots,
        sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
    ] {
        match domain.undefine_flags(flags).map_err(Failure::from) {
            Err(failure) if failure.is_unsupported() => {}
            other => return other,
        }
    }
    Ok(domain.undefine()?)
}

/// The domain with this name or UUID.
pub(crate) fn get_domain(connect: &Connect, name: &str) -> Result<Domain> {
    if let Some(domain) = find_domain(connect, &Key::Name(name.to_owned()))? {
        return Ok(domain);
    }
    let by_uuid = match Uuid::parse_str(name) {
        Ok(uuid) => find_domain(connect, &Key::Uuid(uuid))?,
        Err(_) => None,
    };
    by_uuid.ok_or_else(|| absent("VM", name))
}

fn get_pool(connect: &Connect, name: &str) -> Result<StoragePool> {
    let key = Key::Name(name.to_owned());
    find_pool(connect, &key)?.ok_or_else(|| absent("storage pool", name))
}

fn absent(class: &str, name: &str) -> Failure {
    Failure::new(Reason::NotFound, format!("there is no {class} {name}"))
}

/// Whether the running VM still has the device of `xml`. Devices without target, MAC or address on the host cannot be
/// told apart, and count as gone.
pub(crate) fn still_has(connect: &Connect, name: &str, xml: &str) -> Result<bool> {
    let domain = get_domain(connect, name)?;
    let live = domxml::domain::read(&domain.xml_desc(0)?)?;
    if let Ok(doc) = domxml::read::parse("disk", "disk", xml) {
        let target = domxml::domain::read_disk(&doc.root_element()).target;
        return Ok(live.disks.iter().any(|disk| disk.target == target));
    }
    if let Ok(doc) = domxml::read::parse("interface", "interface", xml) {
        let mac = domxml::domain::read_nic(&doc.root_element()).mac;
        return Ok(live.nics.iter().any(|nic| nic.mac == mac));
    }
    if let Ok(doc) = domxml::read::parse("hostdev", "hostdev", xml) {
        let device = HostDevice::of_definition(doc.root_element());
        return Ok(device.is_some_and(|device| live.host_devices.contains(&device)));
    }
    Ok(false)
}

//! What a step tries, as the words of an error: `cannot {…}: …`.

use model::lifecycle::Request;
use model::plan::{
    FileOp, ListChange, NetworkOp, NetworkSection, PoolOp, SecretOp, Step, VmOp, VolumeOp,
};

/// `step` as an infinitive with its object: `start VM srv01`.
pub fn attempt(step: &Step) -> String {
    match step {
        Step::Pool { name, op } => pool(name, op),
        Step::Volume { pool, name, op } => volume(pool, name, op),
        Step::Network { name, op } => network(name, op),
        Step::Vm { name, op } => vm(name, op),
        Step::Secret { secret, op } => match op {
            SecretOp::Define { .. } => format!("define the secret {secret}"),
            SecretOp::SetValue { .. } => format!("set the value of the secret {secret}"),
            SecretOp::Undefine => format!("remove the secret {secret}"),
        },
        Step::File { path, op } => match op {
            FileOp::Write { .. } => format!("write {path}"),
            FileOp::Fetch { source } => format!("fetch {} to {path}", source.shown()),
            FileOp::Remove => format!("remove {path}"),
        },
    }
}

fn pool(name: &str, op: &PoolOp) -> String {
    match op {
        PoolOp::Define { .. } => format!("define storage pool {name}"),
        PoolOp::CreateTransient { .. } => format!("start transient storage pool {name}"),
        PoolOp::Build => format!("build storage pool {name}"),
        PoolOp::Start => format!("start storage pool {name}"),
        PoolOp::Stop => format!("stop storage pool {name}"),
        PoolOp::Refresh => format!("refresh storage pool {name}"),
        PoolOp::Autostart(on) => format!("{} storage pool {name}", autostart(*on)),
        PoolOp::Delete => format!("delete the storage of storage pool {name}"),
        PoolOp::Undefine => format!("undefine storage pool {name}"),
    }
}

fn volume(pool: &str, name: &str, op: &VolumeOp) -> String {
    match op {
        VolumeOp::Create { .. } => format!("create volume {name} in storage pool {pool}"),
        VolumeOp::CreateFromImage { image, .. } => format!(
            "create volume {name} in storage pool {pool} from {}",
            image.shown()
        ),
        VolumeOp::Write { .. } => format!("write volume {name} of storage pool {pool}"),
        VolumeOp::Resize { capacity } => {
            format!("grow volume {name} of storage pool {pool} to {capacity}")
        }
        VolumeOp::Delete => format!("delete volume {name} of storage pool {pool}"),
    }
}

fn network(name: &str, op: &NetworkOp) -> String {
    match op {
        NetworkOp::Define { .. } => format!("define network {name}"),
        NetworkOp::Start => format!("start network {name}"),
        NetworkOp::Stop => format!("stop network {name}"),
        NetworkOp::Autostart(on) => format!("{} network {name}", autostart(*on)),
        NetworkOp::Update {
            section, change, ..
        } => {
            let verb = match change {
                ListChange::Add => "add",
                ListChange::Modify => "change",
                ListChange::Delete => "remove",
            };
            format!("{verb} a {} of network {name}", section_word(*section))
        }
        NetworkOp::Undefine => format!("undefine network {name}"),
    }
}

const fn section_word(section: NetworkSection) -> &'static str {
    match section {
        NetworkSection::DhcpHost => "DHCP host",
        NetworkSection::DhcpRange => "DHCP range",
        NetworkSection::Portgroup => "port group",
        NetworkSection::DnsHost => "DNS host",
        NetworkSection::DnsTxt => "DNS TXT record",
        NetworkSection::DnsSrv => "DNS SRV record",
        NetworkSection::ForwardInterface => "forward interface",
    }
}

fn vm(name: &str, op: &VmOp) -> String {
    match op {
        VmOp::Define { .. } => format!("define VM {name}"),
        VmOp::Autostart(on) => format!("{} VM {name}", autostart(*on)),
        VmOp::Life(request) => life(name, *request),
        VmOp::AttachLive { .. } => format!("attach a device to running VM {name}"),
        VmOp::DetachLive { .. } => format!("detach a device from running VM {name}"),
        VmOp::UpdateLive { .. } => format!("change a device of running VM {name}"),
        VmOp::VcpusLive(count) => format!("set running VM {name} to {count} vCPUs"),
        VmOp::MemoryLive(size) => format!("set running VM {name} to {size} of memory"),
        VmOp::TuneLive(tuning) => format!("give running VM {name} {tuning}"),
        VmOp::Migrate(migration) => {
            let target = model::plan::without_credentials(&migration.target);
            format!("move VM {name} to {target}")
        }
        VmOp::StartPostcopy => format!("switch the migration of VM {name} over to post-copy"),
        VmOp::CreateTransient { .. } => format!("start transient VM {name}"),
        VmOp::SendKeys { .. } => format!("press keys of VM {name}"),
        VmOp::TakeSnapshot { dated: true, .. } => format!("take a dated snapshot of VM {name}"),
        VmOp::TakeSnapshot { name: snapshot, .. } => {
            format!("take snapshot {snapshot} of VM {name}")
        }
        VmOp::RevertTo { snapshot } => format!("revert VM {name} to snapshot {snapshot}"),
        VmOp::DeleteSnapshot { snapshot } => format!("delete snapshot {snapshot} of VM {name}"),
        VmOp::Undefine => format!("undefine VM {name}"),
        VmOp::Purge => format!("undefine VM {name} with its saved memory and snapshots"),
    }
}

fn life(name: &str, request: Request) -> String {
    let verb = match request {
        Request::Start => "start",
        Request::Shutdown => "shut down",
        Request::Reboot => "reboot",
        Request::ForceOff => "force off",
        Request::Reset => "reset",
        Request::Pause => "pause",
        Request::Resume => "resume",
        Request::Save => "save the memory of",
    };
    format!("{verb} VM {name}")
}

const fn autostart(on: bool) -> &'static str {
    if on {
        "set autostart of"
    } else {
        "clear autostart of"
    }
}

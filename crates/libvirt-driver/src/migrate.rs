//! Moving a VM to another host.
//!
//! The two hypervisors talk to each other (peer to peer): the source's libvirtd opens the connection to the other one,
//! with its own keys and certificates. So it goes on when whoever asked for it has gone.

use crate::failure::Result;
use crate::ffi::typed::{self, Params};
use crate::perform::get_domain;
use model::plan::{Compression, CopyStorage, Migration};
use virt::connect::Connect;
use virt_sys as sys;

/// Moves it; comes back when it is there, or is not.
pub(crate) fn run(connect: &Connect, name: &str, migration: &Migration) -> Result<()> {
    let domain = get_domain(connect, name)?;
    if let Some(milliseconds) = migration.max_downtime {
        domain.migrate_set_max_downtime(milliseconds, 0)?;
    }
    let params = params(migration)?;
    typed::migrate(&domain, &migration.target, &params, flags(migration))
}

/// Switches it over to post-copy.
pub(crate) fn start_postcopy(connect: &Connect, name: &str) -> Result<()> {
    typed::start_postcopy(&get_domain(connect, name)?)
}

/// Bytes that have gone over so far; 0 when nothing is on its way.
pub(crate) fn moved(connect: &Connect, name: &str) -> Result<u64> {
    let info = get_domain(connect, name)?.job_info()?;
    Ok(info.data_processed.unwrap_or(0))
}

fn flags(migration: &Migration) -> u32 {
    let Migration {
        live,
        persistent,
        undefine_source,
        offline,
        tunnelled,
        postcopy,
        ..
    } = *migration;
    let copies = match migration.copy_storage {
        None => 0,
        Some(CopyStorage::All) => sys::VIR_MIGRATE_NON_SHARED_DISK,
        Some(CopyStorage::Incremental) => sys::VIR_MIGRATE_NON_SHARED_INC,
    };
    [
        // What is off has no memory to send.
        (live && !offline, sys::VIR_MIGRATE_LIVE),
        (persistent, sys::VIR_MIGRATE_PERSIST_DEST),
        (undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE),
        (offline, sys::VIR_MIGRATE_OFFLINE),
        (tunnelled, sys::VIR_MIGRATE_TUNNELLED),
        (migration.compression.is_some(), sys::VIR_MIGRATE_COMPRESSED),
        (
            migration.parallel_connections.is_some(),
            sys::VIR_MIGRATE_PARALLEL,
        ),
        (postcopy, sys::VIR_MIGRATE_POSTCOPY),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .fold(sys::VIR_MIGRATE_PEER2PEER | copies, |all, (_, flag)| {
        all | flag
    })
}

fn params(migration: &Migration) -> Result<Params> {
    let mut params = Params::new();
    if let Some(mib) = migration.max_bandwidth {
        params.ullong(sys::VIR_MIGRATE_PARAM_BANDWIDTH, mib)?;
    }
    if let Some(mib) = migration.postcopy_bandwidth {
        params.ullong(sys::VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY, mib)?;
    }
    if let Some(count) = migration.parallel_connections {
        params.int(sys::VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, signed(count))?;
    }
    let Some(compression) = &migration.compression else {
        return Ok(params);
    };
    let Compression {
        methods,
        mt_level,
        mt_threads,
        mt_dthreads,
        xbzrle_cache,
    } = compression;
    for method in methods {
        params.text(sys::VIR_MIGRATE_PARAM_COMPRESSION, method)?;
    }
    for (name, value) in [
        (sys::VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL, mt_level),
        (sys::VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS, mt_threads),
        (sys::VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS, mt_dthreads),
    ] {
        if let Some(value) = value {
            params.int(name, signed(*value))?;
        }
    }
    if let Some(bytes) = xbzrle_cache {
        params.ullong(sys::VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE, *bytes)?;
    }
    Ok(params)
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_say_what_was_asked() {
        let usual = Migration {
            live: true,
            persistent: true,
            undefine_source: true,
            ..Migration::default()
        };
        assert_eq!(flags(&usual), 1 | 2 | 8 | 16);
        let offline = Migration {
            offline: true,
            ..usual.clone()
        };
        assert_eq!(flags(&offline), 2 | 8 | 16 | 1024);
        let copying = Migration {
            copy_storage: Some(CopyStorage::Incremental),
            compression: Some(Compression::default()),
            parallel_connections: Some(4),
            postcopy: true,
            tunnelled: true,
            ..usual
        };
        assert_eq!(
            flags(&copying),
            1 | 2 | 4 | 8 | 16 | 128 | 2048 | 32768 | 131_072
        );
    }
}

//! Pools and their volumes.

use crate::{HostPath, Observation};
use model::plan::{PoolOp, VolumeOp};
use model::{Bytes, Pool, Volume};

pub(super) fn apply(seen: &mut Observation, name: &str, op: &PoolOp) {
    let pool = seen.pools.entry(name.to_owned()).or_default();
    match op {
        PoolOp::Define { xml } => *pool = Some(defined(pool.take(), name, xml)),
        PoolOp::CreateTransient { xml } => {
            *pool = Some(Pool {
                active: true,
                persistent: false,
                xml_live: Some(xml.clone()),
                ..defined(None, name, xml)
            });
        }
        PoolOp::Undefine => *pool = None,
        PoolOp::Build | PoolOp::Refresh | PoolOp::Delete => {}
        PoolOp::Start | PoolOp::Stop => {
            if let Some(pool) = pool {
                pool.active = matches!(op, PoolOp::Start);
                pool.xml_live = pool.active.then(|| pool.xml.clone());
            }
            // Nothing is left of a transient pool that is stopped.
            pool.take_if(|pool| !pool.persistent && !pool.active);
        }
        PoolOp::Autostart(on) => {
            if let Some(pool) = pool {
                pool.autostart = *on;
            }
        }
    }
}

fn defined(old: Option<Pool>, name: &str, xml: &str) -> Pool {
    let mut new = old.unwrap_or_else(|| Pool::named(uuid::Uuid::nil(), name.to_owned()));
    if new.active && new.xml_live.is_none() {
        new.xml_live = Some(new.xml);
    }
    if let Ok(read) = domxml::pool::read(xml) {
        new.kind = read.kind;
        new.target = read.target;
    }
    new.xml = xml.to_owned();
    new.persistent = true;
    new
}

pub(super) fn apply_to_volume(seen: &mut Observation, pool: &str, name: &str, op: &VolumeOp) {
    let folder = seen
        .pools
        .get(pool)
        .and_then(|pool| Some(pool.as_ref()?.target.clone()));
    let path = format!(
        "{}/{name}",
        folder.unwrap_or_default().trim_end_matches('/')
    );
    let volume = seen
        .volumes
        .entry((pool.to_owned(), name.to_owned()))
        .or_default();
    match op {
        VolumeOp::Create { xml } => {
            *volume = domxml::volume::read(xml).ok().map(|read| Volume {
                key: path.clone(),
                path: path.clone(),
                ..read
            });
        }
        VolumeOp::CreateFromImage { format, size, .. } => {
            *volume = Some(Volume {
                name: name.to_owned(),
                key: path.clone(),
                path: path.clone(),
                capacity: size.unwrap_or_default(),
                allocation: Bytes(0),
                format: format.clone(),
                backing: None,
            });
        }
        VolumeOp::Write { content } => {
            *volume = Some(Volume {
                name: name.to_owned(),
                key: path.clone(),
                path: path.clone(),
                capacity: Bytes(content.0.len() as u64),
                allocation: Bytes(0),
                format: "raw".to_owned(),
                backing: None,
            });
        }
        VolumeOp::Resize { capacity } => {
            if let Some(volume) = volume {
                volume.capacity = *capacity;
            }
        }
        VolumeOp::Delete => *volume = None,
    }
    let there = match volume {
        Some(_) => HostPath::File,
        None => HostPath::Absent,
    };
    seen.paths.insert(path, there);
}

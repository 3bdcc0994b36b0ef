//! Hosts without an agent of their own, and how they are reached. The server runs an agent for each.

use crate::doc::{ConnectionDoc, FactsDoc, json};
use crate::engine::Tx;
use crate::error::{During, StoreError};
use crate::feed;
use crate::hosts::{bump, search_text};
use crate::sql::{Row, SqlError, micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::{HostFacts, HostId, ObjectKind};
use uuid::Uuid;

/// How a host without an agent of its own is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// libvirt URI.
    pub uri: String,
    /// File on the server with the private key for ssh; ssh's own choice without.
    pub key_file: Option<String>,
    /// Keys that the host may show over ssh: kind and key, as in a file of known hosts.
    pub host_keys: Vec<String>,
    /// When it was said.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: String,
}

/// A host that the server runs an agent for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentlessHost {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub connection: Connection,
}

fn agentless(row: &Row) -> Result<AgentlessHost, SqlError> {
    let connection: ConnectionDoc = row.json("connection")?;
    Ok(AgentlessHost {
        id: HostId(row.uuid("id")?),
        name: row.text("name")?,
        connection: connection.into_record(),
    })
}

impl Store {
    /// Adds a host under this name; one that is there without an agent of its own is reached anew, and keeps its id.
    ///
    /// # Errors
    /// `Conflict` when a host with an agent, or the key of one, has the name.
    pub async fn add_agentless(
        &self,
        name: &str,
        connection: &Connection,
    ) -> Result<HostId, StoreError> {
        const WHAT: &str = "add a host";
        let mut tx = self.begin_register(WHAT).await?;
        let id = match holder(&mut tx, name).await.during(WHAT)? {
            Holder::Agent => {
                return Err(StoreError::Conflict {
                    why: "a host with an agent has this name; give another one",
                });
            }
            Holder::Agentless(id) => {
                query("update host set connection = $2 where id = $1")
                    .bind(id.to_string())
                    .bind(json(&ConnectionDoc::of(connection)))
                    .execute(&mut tx)
                    .await
                    .during(WHAT)?;
                bump(&mut tx, id).await.during(WHAT)?;
                id
            }
            Holder::None => insert(&mut tx, name, connection).await.during(WHAT)?,
        };
        self.commit(tx, WHAT).await?;
        Ok(id)
    }

    /// The hosts that this server runs agents for: those that it ran them for, and those that no server does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_agentless(&self, server: Uuid) -> Result<Vec<AgentlessHost>, StoreError> {
        const WHAT: &str = "list the hosts without agents";
        let free = query(
            "select id from host where connection is not null and removed_at is null
                 and (runner is null or runner not in (select id from replica))",
        )
        .fetch_all(self)
        .await
        .during(WHAT)?;
        if !free.is_empty() {
            let mut tx = self.begin(WHAT).await?;
            for row in free {
                let host = HostId(row.uuid("id").during(WHAT)?);
                tx.lock_hosts([host]).await.during(WHAT)?;
                query(
                    "update host set runner = $2 where id = $1
                         and (runner is null or runner not in (select id from replica))",
                )
                .bind(host.to_string())
                .bind(server.to_string())
                .execute(&mut tx)
                .await
                .during(WHAT)?;
            }
            self.commit_quietly(tx, WHAT).await?;
        }
        let rows = query(
            "select id, name, connection from host
             where connection is not null and removed_at is null and runner = $1 order by name",
        )
        .bind(server.to_string())
        .fetch_all(self)
        .await
        .during(WHAT)?;
        rows.iter()
            .map(agentless)
            .collect::<Result<_, _>>()
            .during(WHAT)
    }
}

/// Who has a name.
enum Holder {
    None,
    Agentless(HostId),
    Agent,
}

async fn holder(tx: &mut Tx, name: &str) -> Result<Holder, SqlError> {
    let key =
        query("select 1 from agent_key where name = $1 and status in ('accepted', 'rejected')")
            .bind(name)
            .fetch_optional(&mut *tx)
            .await?;
    let host = query(
        "select id, connection is not null as agentless from host
         where name = $1 and removed_at is null and epoch > 0",
    )
    .bind(name)
    .fetch_optional(&mut *tx)
    .await?;
    Ok(match (key, host) {
        (Some(_), _) => Holder::Agent,
        (None, None) => Holder::None,
        (None, Some(host)) if host.flag("agentless")? => {
            Holder::Agentless(HostId(host.uuid("id")?))
        }
        (None, Some(_)) => Holder::Agent,
    })
}

/// Strangers that claim the name have to come again: it is taken now. The host is listed from the start, so that it is
/// seen when it cannot be reached; the first session of its agent takes the epoch after this one.
async fn insert(tx: &mut Tx, name: &str, connection: &Connection) -> Result<HostId, SqlError> {
    query("delete from agent_key where name = $1")
        .bind(name)
        .execute(&mut *tx)
        .await?;
    let id = HostId(Uuid::new_v4());
    let facts = HostFacts {
        name: name.to_owned(),
        uri: connection.uri.clone(),
        ..FactsDoc::default().into_model(String::new())
    };
    query(
        "insert into host (id, name, facts, freshness, owner, epoch, instance, seq, gen, last_seen, search, connection)
         values ($1, $2, $3, 'unreachable', '', 1, $4, 0, 1, $5, $6, $7)",
    )
    .bind(id.to_string())
    .bind(name)
    .bind(json(&FactsDoc::of(&facts)))
    .bind(Uuid::nil().to_string())
    .bind(micros(connection.added_at))
    .bind(search_text(&facts))
    .bind(json(&ConnectionDoc::of(connection)))
    .execute(&mut *tx)
    .await?;
    feed::append(tx, ObjectKind::Host, &id.to_string(), 1).await?;
    Ok(id)
}

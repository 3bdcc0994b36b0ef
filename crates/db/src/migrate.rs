//! Brings the schema up to date. Each migration runs once, in its own transaction, and is never edited again.
//!
//! Versions are the same for both engines; PostgreSQL came with the seventh.

use crate::error::{During, StoreError};
use crate::postgres::Pool;
use crate::sql::{SqlError, query};
use rusqlite::Connection;

/// Every migration of SQLite in order; the version is its place, from 1.
const SQLITE: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_agent_keys.sql"),
    include_str!("../migrations/0003_joined_hosts.sql"),
    include_str!("../migrations/0004_lists.sql"),
    include_str!("../migrations/0005_removed_hosts.sql"),
    include_str!("../migrations/0006_agentless_hosts.sql"),
    include_str!("../migrations/0007_replicas.sql"),
];

/// The first version that PostgreSQL has: all up to it in one.
const FIRST_OF_POSTGRES: usize = 7;
/// Its migrations in order, from that version on.
const POSTGRES: &[&str] = &[include_str!("../migrations/postgres/0007_first.sql")];

const WHAT: &str = "bring the store's schema up to date";

/// The version of the schema.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) fn refuse_newer(connection: &Connection) -> Result<i64, StoreError> {
    const WHAT: &str = "read the version of the store's schema";
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    known(found.map_err(SqlError::from).during(WHAT)?)
}

fn known(found: i64) -> Result<i64, StoreError> {
    let known = SQLITE.len() as i64;
    match found > known {
        true => Err(StoreError::Newer { found, known }),
        false => Ok(found),
    }
}

/// Applies what is missing to a file.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) fn sqlite(writer: &mut Connection) -> Result<(), StoreError> {
    let found = refuse_newer(writer)?;
    for (index, migration) in SQLITE.iter().enumerate().skip(found as usize) {
        apply(writer, migration, index + 1)
            .map_err(SqlError::from)
            .during(WHAT)?;
    }
    Ok(())
}

fn apply(writer: &mut Connection, migration: &str, version: usize) -> rusqlite::Result<()> {
    let tx = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute_batch(migration)?;
    tx.pragma_update(None, "user_version", version as i64)?;
    tx.commit()
}

/// Applies what is missing to a database of a server. Others that start at the same time wait.
///
/// # Errors
/// `Newer` when a later version of the program has written there.
pub(crate) async fn postgres(pool: &Pool) -> Result<(), StoreError> {
    let mut tx = pool.begin().await.during(WHAT)?;
    tx.batch(
        "select pg_advisory_xact_lock(0);
         create table if not exists meta (key text collate \"C\" primary key, value text collate \"C\" not null)",
    )
    .await
    .during(WHAT)?;
    let row = query("select value from meta where key = 'schema'")
        .fetch_optional(&mut tx)
        .await
        .during(WHAT)?;
    let found = row.map(|row| row.text("value")).transpose().during(WHAT)?;
    let found = known(found.and_then(|version| version.parse().ok()).unwrap_or(0))?;
    for (migration, version) in POSTGRES.iter().zip(FIRST_OF_POSTGRES..) {
        if (version as i64) <= found {
            continue;
        }
        tx.batch(migration).await.during(WHAT)?;
        query(
            "insert into meta (key, value) values ('schema', $1)
             on conflict (key) do update set value = excluded.value",
        )
        .bind(version.to_string())
        .execute(&mut tx)
        .await
        .during(WHAT)?;
    }
    tx.commit().await.during(WHAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(connection: &Connection, select: &str) -> Option<String> {
        let read = connection.query_row(select, [], |row| row.get(0));
        read.expect("is there")
    }

    /// A file as the version with `migrations` left it.
    fn old(migrations: usize, rows: &str) -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        for migration in &SQLITE[..migrations] {
            connection.execute_batch(migration).expect("is applied");
        }
        connection.execute_batch(rows).expect("is written");
        connection
            .pragma_update(None, "user_version", migrations as i64)
            .expect("has a version");
        connection
    }

    #[test]
    fn both_engines_end_at_the_same_version() {
        assert_eq!(FIRST_OF_POSTGRES + POSTGRES.len() - 1, SQLITE.len());
    }

    #[test]
    fn definitions_move_to_a_table_of_their_own() {
        let mut connection = old(
            3,
            "insert into host (id, name, facts, freshness, owner, epoch, instance, seq, gen, last_seen, search)
                 values ('h', 'kvm1', '{}', 'live', '', 1, '', 0, 1, 0, '');
             insert into vm (id, host, uuid, name, status, vcpus, memory, networks, doc, xml_persistent, xml_live,
                     search, gen, observed_at)
                 values ('v', 'h', 'u', 'srv01', 'running', 1, 1, '[]', '{}', '<domain/>', null, '', 1, 0)",
        );
        sqlite(&mut connection).expect("is brought up to date");
        let persistent = text(&connection, "select persistent from vm_xml where vm = 'v'");
        assert_eq!(persistent.as_deref(), Some("<domain/>"));
        assert_eq!(
            text(&connection, "select live from vm_xml where vm = 'v'"),
            None
        );
        // Once more: there is nothing left to do.
        sqlite(&mut connection).expect("is up to date");
        connection
            .execute_batch("delete from vm")
            .expect("is deleted");
        let left = text(&connection, "select cast(count(*) as text) from vm_xml");
        assert_eq!(
            left.as_deref(),
            Some("0"),
            "what belonged to it is gone, too"
        );
    }

    #[test]
    fn users_keep_their_sessions_and_actions_their_users() {
        let mut connection = old(
            6,
            "insert into user (name, password, role, created_at) values ('ann', 'x', 'admin', 0);
             insert into session (token_hash, user, created_at, expires_at) values (x'00', 'ann', 0, 9);
             insert into job (id, fun, target, target_kind, user, created_at) values ('j', 'f', '', '', 'ann', 0)",
        );
        sqlite(&mut connection).expect("is brought up to date");
        let who = text(
            &connection,
            "select account.name from session join account on account.name = session.username",
        );
        assert_eq!(who.as_deref(), Some("ann"));
        assert_eq!(
            text(&connection, "select username from job").as_deref(),
            Some("ann")
        );
        connection
            .execute_batch("delete from account")
            .expect("is deleted");
        let left = text(&connection, "select cast(count(*) as text) from session");
        assert_eq!(
            left.as_deref(),
            Some("0"),
            "what belonged to the user is gone, too"
        );
    }
}

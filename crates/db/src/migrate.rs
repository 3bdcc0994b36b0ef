//! Brings the schema up to date. Each migration runs once, in its own transaction, and is never edited again.

use crate::error::{During, StoreError};
use sqlx::{Connection as _, Row, SqliteConnection};

/// Every migration in order; the version is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_agent_keys.sql"),
    include_str!("../migrations/0003_joined_hosts.sql"),
    include_str!("../migrations/0004_lists.sql"),
    include_str!("../migrations/0005_removed_hosts.sql"),
    include_str!("../migrations/0006_agentless_hosts.sql"),
];

/// The version of the schema.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) async fn refuse_newer(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    const WHAT: &str = "read the version of the store's schema";
    let known = MIGRATIONS.len() as i64;
    let row = sqlx::query("pragma user_version")
        .fetch_one(connection)
        .await
        .during(WHAT)?;
    let found: i64 = row.try_get(0).during(WHAT)?;
    match found > known {
        true => Err(StoreError::Newer { found, known }),
        false => Ok(found),
    }
}

/// Applies what is missing.
///
/// # Errors
/// `Newer` when a later version of the program has written the file.
pub(crate) async fn run(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    const WHAT: &str = "bring the store's schema up to date";
    let found = refuse_newer(writer).await?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let mut tx = writer.begin_with("begin immediate").await.during(WHAT)?;
        sqlx::raw_sql(*migration)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        // A pragma takes no parameters; the number is our own.
        let version = sqlx::AssertSqlSafe(format!("pragma user_version = {}", index + 1));
        sqlx::raw_sql(version)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        tx.commit().await.during(WHAT)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions as _;
    use sqlx::Executor as _;
    use sqlx::sqlite::SqliteConnectOptions;

    #[tokio::test]
    async fn definitions_move_to_a_table_of_their_own() {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true);
        let mut connection = options.connect().await.expect("opens");
        for migration in &MIGRATIONS[..3] {
            connection.execute(*migration).await.expect("is applied");
        }
        let old = "pragma user_version = 3;
             insert into host (id, name, facts, freshness, owner, epoch, instance, seq, gen, last_seen, search)
                 values ('h', 'kvm1', '{}', 'live', '', 1, '', 0, 1, 0, '');
             insert into vm (id, host, uuid, name, status, vcpus, memory, networks, doc, xml_persistent, xml_live,
                     search, gen, observed_at)
                 values ('v', 'h', 'u', 'srv01', 'running', 1, 1, '[]', '{}', '<domain/>', null, '', 1, 0)";
        connection.execute(old).await.expect("is written");
        run(&mut connection).await.expect("is brought up to date");
        let row = connection
            .fetch_one("select vm, persistent, live from vm_xml")
            .await
            .expect("is there");
        assert_eq!(row.get::<String, _>("vm"), "v");
        assert_eq!(row.get::<String, _>("persistent"), "<domain/>");
        assert_eq!(row.get::<Option<String>, _>("live"), None);
        // Once more: there is nothing left to do.
        run(&mut connection).await.expect("is up to date");
        connection
            .execute("delete from vm")
            .await
            .expect("is deleted");
        let left = connection
            .fetch_all("select 1 from vm_xml")
            .await
            .expect("reads");
        assert!(left.is_empty(), "what belonged to it is gone, too");
    }
}

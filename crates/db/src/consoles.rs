//! Tickets for consoles: each is good once, for its user, for a short time, with any server of the database.

use crate::error::{During, StoreError};
use crate::sql::{micros, query};
use crate::store::Store;
use jiff::Timestamp;
use model::HostId;
use uuid::Uuid;

/// What a ticket opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTicket {
    /// Whose it is.
    pub user: String,
    /// The host of the VM.
    pub host: HostId,
    /// libvirt's UUID of the VM.
    pub vm: Uuid,
}

impl Store {
    /// Keeps a ticket by its hash, unless there are `most` already; false then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_console_ticket(
        &self,
        hash: &[u8],
        ticket: &ConsoleTicket,
        now: Timestamp,
        expires_at: Timestamp,
        most: u64,
    ) -> Result<bool, StoreError> {
        const WHAT: &str = "keep the ticket of a console";
        let mut tx = self.begin(WHAT).await?;
        query("delete from console_ticket where expires_at <= $1")
            .bind(micros(now))
            .execute(&mut tx)
            .await
            .during(WHAT)?;
        let row = query("select count(*) as n from console_ticket")
            .fetch_one(&mut tx)
            .await
            .during(WHAT)?;
        if row.number("n").during(WHAT)? >= most {
            return Ok(false);
        }
        query(
            "insert into console_ticket (hash, username, host, vm, expires_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(hash)
        .bind(&ticket.user)
        .bind(ticket.host.to_string())
        .bind(ticket.vm.to_string())
        .bind(micros(expires_at))
        .execute(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        Ok(true)
    }

    /// Takes a ticket: only its user can, only in time, only once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_console_ticket(
        &self,
        hash: &[u8],
        user: &str,
        now: Timestamp,
    ) -> Result<Option<ConsoleTicket>, StoreError> {
        const WHAT: &str = "take the ticket of a console";
        let mut tx = self.begin(WHAT).await?;
        let row = query(
            "delete from console_ticket where hash = $1 and username = $2 and expires_at > $3
             returning username, host, vm",
        )
        .bind(hash)
        .bind(user)
        .bind(micros(now))
        .fetch_optional(&mut tx)
        .await
        .during(WHAT)?;
        self.commit_quietly(tx, WHAT).await?;
        row.map(|row| {
            Ok(ConsoleTicket {
                user: row.text("username")?,
                host: HostId(row.uuid("host")?),
                vm: row.uuid("vm")?,
            })
        })
        .transpose()
        .during(WHAT)
    }
}

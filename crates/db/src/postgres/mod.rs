//! PostgreSQL: connections that write, connections that read, and one that listens.
//!
//! Transactions run side by side, also those of other servers on the same database. What must not meet stands in line at
//! rows: every write on a host's behalf first writes the host's row (the fence), and what users do to the queue of hosts
//! first locks theirs, in the order of their ids.

mod connection;
mod listener;
mod pool;
mod tls;

pub(crate) use listener::{LOOK, Listener};
pub(crate) use pool::{Pool, Reader, Tx};
pub use tls::DatabaseTls;
pub(crate) use tls::Tls;

use crate::sql::Value;
use bytes::{BufMut, BytesMut};
use std::error::Error;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// The server says what type a parameter has; ours are numbers, flags, texts and bytes.
impl ToSql for Value {
    fn to_sql(
        &self,
        r#type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(value) => match *r#type {
                Type::BOOL => out.put_u8(u8::from(*value != 0)),
                Type::INT4 => out.put_i32(i32::try_from(*value)?),
                Type::INT8 => out.put_i64(*value),
                _ => {
                    return Err(format!(
                        "a number for a parameter of type {type}",
                        r#type = r#type
                    )
                    .into());
                }
            },
            Self::Text(text) => match *r#type {
                Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => {
                    out.put_slice(text.as_bytes());
                }
                _ => {
                    return Err(
                        format!("a text for a parameter of type {type}", r#type = r#type).into(),
                    );
                }
            },
            Self::Blob(bytes) => match *r#type {
                Type::BYTEA => out.put_slice(bytes),
                _ => {
                    return Err(
                        format!("bytes for a parameter of type {type}", r#type = r#type).into(),
                    );
                }
            },
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

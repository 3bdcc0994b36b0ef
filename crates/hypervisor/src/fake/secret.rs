//! Secrets of the fake.

use super::fault::Fault;
use super::world::World;
use model::plan::{SecretName, SecretOp};
use uuid::Uuid;

/// A secret with its value, which nobody can read through the port.
pub(super) struct FakeSecret {
    pub(super) uuid: Uuid,
    pub(super) value: Vec<u8>,
}

impl World {
    pub(super) fn secret_op(&mut self, secret: &SecretName, op: &SecretOp) -> Result<(), Fault> {
        match op {
            SecretOp::Define { .. } => {
                let uuid = self.next_uuid(&secret.id);
                let value = Vec::new();
                let new = FakeSecret { uuid, value };
                self.secrets.entry(secret.clone()).or_insert(new);
            }
            SecretOp::SetValue { value } => {
                let known = self.secrets.get_mut(secret);
                let known = known.ok_or_else(|| Fault::no_secret(secret))?;
                known.value.clone_from(&value.0);
            }
            SecretOp::Undefine => {
                let gone = self.secrets.remove(secret);
                gone.ok_or_else(|| Fault::no_secret(secret))?;
            }
        }
        Ok(())
    }
}

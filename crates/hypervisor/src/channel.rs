//! The channel that carries hints: bounded, never waits, and never loses the news that it lost something.
//!
//! One place is kept free for [`Hint::Lost`]. When the channel is full, that place is used; whatever comes after
//! it is dropped until the receiver has taken something out, which is sound because the receiver will read
//! everything when it reaches `Lost`.

use crate::port::{Hint, HintReceiver};
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// The sending end. Owned by a driver; usable from any thread, also outside of a runtime.
#[derive(Debug)]
pub struct HintSender {
    sender: mpsc::Sender<Hint>,
    /// The place kept free for `Lost`; `None` while a `Lost` is under way. Locked for a few instructions only.
    spare: Mutex<Option<mpsc::OwnedPermit<Hint>>>,
}

/// Makes a channel that holds `capacity` hints (at least one) and a `Lost`.
pub fn hint_channel(capacity: usize) -> (HintSender, HintReceiver) {
    let (sender, receiver) = mpsc::channel(capacity.max(1).saturating_add(1));
    let spare = Mutex::new(sender.clone().try_reserve_owned().ok());
    (HintSender { sender, spare }, receiver)
}

impl HintSender {
    /// Hands `hint` over, or remembers that one was lost. Returns whether it was handed over.
    pub fn send(&self, hint: Hint) -> bool {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.is_none() {
            *spare = self.sender.clone().try_reserve_owned().ok();
        }
        if spare.is_some() && self.sender.try_send(hint).is_ok() {
            return true;
        }
        if let Some(permit) = spare.take() {
            permit.send(Hint::Lost);
        }
        false
    }

    /// Nobody listens any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(receiver: &mut HintReceiver) -> Vec<Hint> {
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    #[test]
    fn what_does_not_fit_is_told_as_lost() {
        let (sender, mut receiver) = hint_channel(2);
        let sent: Vec<bool> = (0..5).map(|_| sender.send(Hint::Connected)).collect();
        assert_eq!(sent, [true, true, false, false, false]);
        assert_eq!(
            drain(&mut receiver),
            [Hint::Connected, Hint::Connected, Hint::Lost]
        );
    }

    #[test]
    fn after_a_loss_the_flow_goes_on() {
        let (sender, mut receiver) = hint_channel(1);
        sender.send(Hint::Connected);
        sender.send(Hint::Connected);
        assert_eq!(drain(&mut receiver), [Hint::Connected, Hint::Lost]);
        assert!(sender.send(Hint::Connected));
        assert_eq!(drain(&mut receiver), [Hint::Connected]);
    }

    #[test]
    fn a_hint_lost_while_lost_is_unread_is_covered_by_it() {
        let (sender, mut receiver) = hint_channel(1);
        sender.send(Hint::Connected);
        sender.send(Hint::Connected);
        assert_eq!(receiver.try_recv(), Ok(Hint::Connected));
        // One place is free, and it is kept for the next `Lost`.
        assert!(!sender.send(Hint::Connected));
        assert_eq!(drain(&mut receiver), [Hint::Lost, Hint::Lost]);
    }

    #[test]
    fn a_closed_channel_takes_nothing() {
        let (sender, receiver) = hint_channel(1);
        drop(receiver);
        assert!(sender.is_closed());
        assert!(!sender.send(Hint::Connected));
    }
}

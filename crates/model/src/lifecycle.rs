//! The life of a VM as a table: which request makes sense in which status.
//!
//! ```text
//!            start                 shutdown, force off
//!  Shutoff ─────────▶ Running ── save ─────────────────▶ Shutoff
//!  Crashed ─────────▶   │ ▲                                 ▲
//!                 pause ▼ │ resume        force off, save   │
//!                     Paused ───────────────────────────────┘
//! ```
//!
//! The server asks it before it queues, the agent asks it again before it acts, and the buttons of the web
//! interface are drawn from it, so that the three cannot disagree. All of them ask by [`Vm::admit`], which knows beside
//! the status what the kind of guest is capable of.

use crate::capability::{Capability, Lack};
use crate::vm::{Vm, VmStatus};
use thiserror::Error;

/// What a person can ask of a VM's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Boot, or resume from a managed save.
    Start,
    /// Ask the guest to shut down.
    Shutdown,
    /// Ask the guest to reboot.
    Reboot,
    /// Cut the power.
    ForceOff,
    /// Press the reset button.
    Reset,
    /// Stop executing, keep memory.
    Pause,
    /// Go on after a pause, or wake up.
    Resume,
    /// Write the memory to disk and stop; the next start goes on from there (libvirt's managed save).
    Save,
}

impl Request {
    /// Every request, in the order in which menus show them.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Shutdown,
        Self::Reboot,
        Self::ForceOff,
        Self::Reset,
        Self::Pause,
        Self::Resume,
        Self::Save,
    ];

    /// The word used in paths, in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::ForceOff => "force_off",
            Self::Reset => "reset",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Save => "save",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|request| request.as_str() == word)
    }

    /// What a guest must be capable of for it.
    pub const fn capability(self) -> Capability {
        match self {
            Self::Start => Capability::Start,
            Self::Shutdown => Capability::Shutdown,
            Self::Reboot => Capability::Reboot,
            Self::ForceOff => Capability::ForceOff,
            Self::Reset => Capability::Reset,
            Self::Pause => Capability::Pause,
            Self::Resume => Capability::Resume,
            Self::Save => Capability::Save,
        }
    }

    /// Doing it a second time after an unknown outcome harms nobody.
    ///
    /// A reboot or a reset that did happen would happen again, so they are not.
    pub const fn is_idempotent(self) -> bool {
        matches!(
            self,
            Self::Start | Self::Shutdown | Self::ForceOff | Self::Pause | Self::Resume | Self::Save
        )
    }

    /// Whether `status` proves that the request has been fulfilled. [`Vm::has_fulfilled`] sees more than the status.
    pub const fn is_fulfilled_by(self, status: VmStatus) -> bool {
        match self {
            Self::Start | Self::Resume => matches!(status, VmStatus::Running),
            Self::Shutdown | Self::ForceOff => {
                matches!(status, VmStatus::Shutoff | VmStatus::Crashed)
            }
            Self::Pause => matches!(status, VmStatus::Paused),
            Self::Reboot | Self::Reset | Self::Save => false,
        }
    }
}

/// What a request means in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Do it.
    Queue,
    /// Nothing to do: the VM is already there.
    AlreadyThere,
}

/// Why a request makes no sense in a status. The text is shown beside the disabled button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// Start of a paused VM.
    #[error("The VM is paused; resume it instead")]
    ResumeInstead,
    /// Pause, reboot… of a VM that does not run.
    #[error("The VM is not running")]
    NotRunning,
    /// Resume of a VM that is not paused.
    #[error("The VM is not paused")]
    NotPaused,
    /// A paused guest cannot react.
    #[error("The VM is paused and cannot react; resume it first or force it off")]
    PausedCannotReact,
    /// It is on its way out.
    #[error("The VM is shutting down")]
    ShuttingDown,
    /// It is on its way to another host.
    #[error("The VM is migrating")]
    Migrating,
    /// The guest sleeps.
    #[error("The VM is suspended by its guest; resume wakes it")]
    Suspended,
    /// Its status is not known.
    #[error("The status of the VM is not known; refresh its host")]
    StatusUnknown,
    /// A saved memory without a definition could not be started.
    #[error("The VM has no definition that lasts, so nothing could start it again")]
    Transient,
    /// It is the host.
    #[error("{CONTROL_DOMAIN}")]
    ControlDomain,
    /// Guests of its kind cannot.
    #[error("{0}")]
    Lacks(Lack),
}

/// Why nothing is done to Domain-0.
pub const CONTROL_DOMAIN: &str =
    "Domain-0 is the host itself; reboot or shut down the host instead";

impl Vm {
    /// Decides what a request means for this VM now; changes nothing.
    ///
    /// # Errors
    /// Says why the request makes no sense, now or ever.
    pub fn admit(&self, request: Request) -> Result<Admit, Denied> {
        if self.is_control_domain() {
            return Err(Denied::ControlDomain);
        }
        if let Some(lack) = self.guest().lacks(request.capability()) {
            return Err(Denied::Lacks(lack));
        }
        match (request, admit(self.status, request)) {
            (Request::Save, Ok(Admit::Queue)) if !self.persistent => Err(Denied::Transient),
            (Request::Save, Err(Denied::NotRunning)) if self.has_managed_save => {
                Ok(Admit::AlreadyThere)
            }
            (_, admitted) => admitted,
        }
    }

    /// Whether what it is in proves that the request has been fulfilled.
    pub fn has_fulfilled(&self, request: Request) -> bool {
        match request {
            Request::Save => self.has_managed_save && !self.status.is_active(),
            _ => request.is_fulfilled_by(self.status),
        }
    }
}

/// What a request means in `status`, whatever the kind of guest.
fn admit(status: VmStatus, request: Request) -> Result<Admit, Denied> {
    use Admit::{AlreadyThere, Queue};
    use Request::*;
    use VmStatus::*;
    match (status, request) {
        (Migrating, _) => Err(Denied::Migrating),
        (Unknown, _) => Err(Denied::StatusUnknown),

        (Shutoff | Crashed, Start) => Ok(Queue),
        (Shutoff | Crashed, Shutdown | ForceOff) => Ok(AlreadyThere),
        (Shutoff | Crashed, Reboot | Reset | Pause | Save) => Err(Denied::NotRunning),
        (Shutoff | Crashed, Resume) => Err(Denied::NotPaused),

        (Running, Start | Resume) => Ok(AlreadyThere),
        (Running, Shutdown | Reboot | ForceOff | Reset | Pause | Save) => Ok(Queue),

        (Paused, Start) => Err(Denied::ResumeInstead),
        (Paused, Shutdown | Reboot) => Err(Denied::PausedCannotReact),
        (Paused, ForceOff | Reset | Resume | Save) => Ok(Queue),
        (Paused, Pause) => Ok(AlreadyThere),

        (Suspended, Resume | ForceOff | Reset) => Ok(Queue),
        (Suspended, Start | Shutdown | Reboot | Pause | Save) => Err(Denied::Suspended),

        (ShuttingDown, ForceOff | Reset) => Ok(Queue),
        (ShuttingDown, Shutdown) => Ok(AlreadyThere),
        (ShuttingDown, Start | Reboot | Pause | Resume | Save) => Err(Denied::ShuttingDown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_running_vm_can_be_stopped_and_not_resumed() {
        assert_eq!(
            admit(VmStatus::Running, Request::ForceOff),
            Ok(Admit::Queue)
        );
        assert_eq!(
            admit(VmStatus::Running, Request::Start),
            Ok(Admit::AlreadyThere)
        );
        assert_eq!(
            admit(VmStatus::Paused, Request::Start),
            Err(Denied::ResumeInstead)
        );
        assert_eq!(
            admit(VmStatus::Shutoff, Request::Reboot),
            Err(Denied::NotRunning)
        );
    }

    #[test]
    fn xen_guests_have_no_reset_and_domain_0_is_left_alone() {
        let vm = |domain_type: &str, os_type: &str| Vm {
            domain_type: domain_type.to_owned(),
            os_type: os_type.to_owned(),
            status: VmStatus::Running,
            ..Vm::named(uuid::Uuid::from_u128(1), "srv01".to_owned())
        };
        assert_eq!(vm("kvm", "hvm").admit(Request::Reset), Ok(Admit::Queue));
        assert_eq!(vm("xen", "hvm").admit(Request::Reboot), Ok(Admit::Queue));
        let denied = vm("xen", "hvm").admit(Request::Reset);
        let denied = denied.expect_err("no reset");
        assert_eq!(
            denied.to_string(),
            "Not possible on Xen HVM: Xen has no reset button; force it off and start it"
        );
        let host = Vm {
            uuid: uuid::Uuid::nil(),
            name: "Domain-0".to_owned(),
            ..vm("xen", "linux")
        };
        for request in Request::ALL {
            assert_eq!(host.admit(request), Err(Denied::ControlDomain));
        }
    }

    #[test]
    fn memory_is_saved_of_what_runs_and_can_be_started_again() {
        let vm = |status, persistent, has_managed_save| Vm {
            status,
            persistent,
            has_managed_save,
            ..Vm::named(uuid::Uuid::from_u128(1), "srv01".to_owned())
        };
        let save = |vm: &Vm| vm.admit(Request::Save);
        assert_eq!(save(&vm(VmStatus::Running, true, false)), Ok(Admit::Queue));
        assert_eq!(save(&vm(VmStatus::Paused, true, false)), Ok(Admit::Queue));
        let transient = vm(VmStatus::Running, false, false);
        assert_eq!(save(&transient), Err(Denied::Transient));
        let off = vm(VmStatus::Shutoff, true, false);
        assert_eq!(save(&off), Err(Denied::NotRunning));
        assert!(!off.has_fulfilled(Request::Save));
        let saved = vm(VmStatus::Shutoff, true, true);
        assert_eq!(save(&saved), Ok(Admit::AlreadyThere));
        assert!(saved.has_fulfilled(Request::Save));
        assert_eq!(saved.admit(Request::Start), Ok(Admit::Queue));
    }

    proptest! {
        /// A fulfilled request is never queued again: `admit` and `is_fulfilled_by` tell one story.
        #[test]
        fn what_is_fulfilled_is_already_there(s in 0..VmStatus::ALL.len(), r in 0..Request::ALL.len()) {
            let (status, request) = (VmStatus::ALL[s], Request::ALL[r]);
            if request.is_fulfilled_by(status) {
                prop_assert_eq!(admit(status, request), Ok(Admit::AlreadyThere));
            }
        }

        #[test]
        fn words_read_back(s in 0..VmStatus::ALL.len(), r in 0..Request::ALL.len()) {
            prop_assert_eq!(VmStatus::from_word(VmStatus::ALL[s].as_str()), Some(VmStatus::ALL[s]));
            prop_assert_eq!(Request::from_word(Request::ALL[r].as_str()), Some(Request::ALL[r]));
        }
    }
}

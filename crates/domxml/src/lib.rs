//! libvirt's XML, read into the model, built from nothing and edited in place.
//!
//! Reading takes what the model holds and ignores the rest. Building writes new documents with every text escaped.
//! Editing replaces byte ranges of a document and leaves all other bytes as they were, so that elements this program
//! does not know survive. Nothing here calls libvirt or opens a file.

pub mod build;
pub mod capabilities;
pub mod device;
pub mod domain;
pub mod edit;
pub mod metadata;
pub mod network;
pub mod pool;
pub mod read;
pub mod tuning;
pub mod volume;

pub use build::Element;
pub use edit::{Document, EditError, Place};

pub use read::XmlError;

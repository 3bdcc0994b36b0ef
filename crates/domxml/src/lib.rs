//! libvirt XML to and from the model; edits in place and keeps what it does not know.

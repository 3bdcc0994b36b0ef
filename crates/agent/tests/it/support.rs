//! A host for a test: a folder of its own, a fake hypervisor, a minion.

use agent::Minion;
use agent::functions::{Context, Fault, Return, call, command_line};
use agent::image::{ImageStore, RetryPolicy};
use hypervisor::fake::FakeHypervisor;
use hypervisor::{
    Console, Fut, HintReceiver, Hypervisor, HypervisorError, Key, Reason, Transferred, Upload,
};
use model::plan::Step;
use model::{HostFacts, Inventory, Network, Pool, Snapshot, Vm, Volume};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tree::Roots;
use uuid::Uuid;

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("salar-agent-test-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Host {
    pub folder: Folder,
    pub fake: FakeHypervisor,
    pub minion: Arc<Minion>,
}

impl Host {
    pub fn new() -> Self {
        let fake = FakeHypervisor::new("kvm1.tf.local");
        Self::with(fake.clone(), Arc::new(fake))
    }

    /// A host whose port is not the fake itself.
    pub fn with(fake: FakeHypervisor, port: Arc<dyn Hypervisor>) -> Self {
        let folder = Folder::new();
        let mut minion = Minion::new(
            "kvm1.tf.local",
            port,
            "fake:///system",
            folder.path().join("state"),
        );
        minion.files = Roots::new([folder.path().join("salt")]);
        minion.pillar = Roots::new([folder.path().join("pillar")]);
        let quick = RetryPolicy {
            attempts: 3,
            first_wait: Duration::from_millis(1),
        };
        minion.images = ImageStore::with_policy(folder.path().join("state/images"), quick);
        Self {
            folder,
            fake,
            minion: Arc::new(minion),
        }
    }

    /// The example of the origin, in `vm.sls`, with its image at `url`.
    pub fn with_origin(self, url: &str) -> Self {
        let sls = include_str!("../../../../examples/origin/vm.sls");
        self.folder.write(
            "salt/vm.sls",
            &sls.replace("http://127.0.0.1:8471/guest.qcow2", url),
        );
        self
    }

    pub async fn call(&self, words: &str) -> Result<Return, Fault> {
        self.call_in(words, &Context::quiet()).await
    }

    pub async fn call_in(&self, words: &str, context: &Context) -> Result<Return, Fault> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let (args, kwargs) = command_line(&words[1..]);
        call(&self.minion, &words[0], &args, &kwargs, context).await
    }

    /// Results of states by ID.
    pub async fn states(&self, words: &str) -> Value {
        let returned = self.call(words).await.unwrap();
        by_id(&returned.value)
    }
}

pub fn by_id(results: &Value) -> Value {
    let results = results
        .as_object()
        .unwrap_or_else(|| panic!("results, not {results}"));
    results
        .values()
        .map(|result| {
            (
                result["__id__"].as_str().unwrap().to_owned(),
                result.clone(),
            )
        })
        .collect()
}

/// `fake`, but that uploads break off after the volume was created.
pub struct UploadsFail(pub FakeHypervisor);

impl Hypervisor for UploadsFail {
    fn facts(&self) -> Fut<'_, HostFacts> {
        self.0.facts()
    }
    fn inventory(&self) -> Fut<'_, Inventory> {
        self.0.inventory()
    }
    fn find_vm(&self, key: &Key) -> Fut<'_, Option<Vm>> {
        self.0.find_vm(key)
    }
    fn find_pool(&self, key: &Key) -> Fut<'_, Option<Pool>> {
        self.0.find_pool(key)
    }
    fn find_network(&self, key: &Key) -> Fut<'_, Option<Network>> {
        self.0.find_network(key)
    }
    fn find_volume(&self, pool: &str, name: &str) -> Fut<'_, Option<Volume>> {
        self.0.find_volume(pool, name)
    }
    fn list_volumes(&self, pool: &str) -> Fut<'_, Vec<Volume>> {
        self.0.list_volumes(pool)
    }
    fn vm_names(&self) -> Fut<'_, Vec<String>> {
        self.0.vm_names()
    }
    fn snapshots(&self, key: &Key) -> Fut<'_, Vec<Snapshot>> {
        self.0.snapshots(key)
    }
    fn addresses(&self) -> Fut<'_, Vec<(String, String)>> {
        self.0.addresses()
    }
    fn capabilities_xml(&self) -> Fut<'_, String> {
        self.0.capabilities_xml()
    }
    fn perform(&self, step: &Step) -> Fut<'_, ()> {
        self.0.perform(step)
    }
    fn upload(&self, upload: &Upload, _: Transferred) -> Fut<'_, ()> {
        let what = format!(
            "fill volume {} of storage pool {}",
            upload.volume, upload.pool
        );
        let message = "cannot write: No space left on device".to_owned();
        Box::pin(async move {
            Err(HypervisorError {
                what,
                reason: Reason::Refused,
                message,
                libvirt: Some((38, 18)),
            })
        })
    }
    fn open_vnc(&self, vm: Uuid) -> Fut<'_, Box<dyn Console>> {
        self.0.open_vnc(vm)
    }
    fn hints(&self) -> HintReceiver {
        self.0.hints()
    }
}

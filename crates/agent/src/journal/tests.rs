use super::*;
use model::lifecycle::Request;
use uuid::Uuid;

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("salar-journal-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a folder for the test");
        Self(path)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("journal")
    }

    fn open(&self) -> Journal {
        Journal::open(&self.file()).expect("the journal opens")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn start() -> ActionKind {
    ActionKind::Vm {
        vm: Uuid::from_u128(7),
        name: "srv01".to_owned(),
        request: Request::Start,
    }
}

fn id(number: u128) -> ActionId {
    ActionId(Uuid::from_u128(number))
}

#[tokio::test]
async fn an_id_is_accepted_once_over_restarts() {
    let folder = Folder::new();
    let journal = folder.open();
    assert_eq!(
        journal.accept(id(1), &start()).await.expect("written"),
        Acceptance::New
    );
    let again = journal.accept(id(1), &start()).await.expect("read");
    assert_eq!(again, Acceptance::Known(Known::Unfinished));

    let journal = folder.open();
    assert_eq!(journal.unfinished().len(), 1);
    assert_eq!(
        journal.unfinished()[0].1.vm_request(),
        Some((Uuid::from_u128(7), Request::Start))
    );
    journal
        .finish(id(1), Ending::succeeded())
        .await
        .expect("written");
    let journal = folder.open();
    let again = journal.accept(id(1), &start()).await.expect("read");
    assert_eq!(
        again,
        Acceptance::Known(Known::Finished(Ending::succeeded()))
    );
    assert_eq!(journal.unacknowledged(), [(id(1), Ending::succeeded())]);

    journal.acknowledge(id(1)).await.expect("written");
    let journal = folder.open();
    assert_eq!(journal.unacknowledged(), []);
    assert!(
        journal.find(id(1)).is_some(),
        "kept for a week after the acknowledgement"
    );
}

#[tokio::test]
async fn a_crash_at_any_byte_loses_only_what_was_not_yet_promised() {
    let folder = Folder::new();
    let journal = folder.open();
    let mut promised = vec![(std::fs::metadata(folder.file()).expect("there").len(), 0)];
    for number in 1..=3 {
        journal.accept(id(number), &start()).await.expect("written");
        journal
            .finish(id(number), Ending::failed("no", ""))
            .await
            .expect("written");
        promised.push((
            std::fs::metadata(folder.file()).expect("there").len(),
            number,
        ));
    }
    let whole = std::fs::read(folder.file()).expect("readable");
    for cut in 0..=whole.len() {
        std::fs::write(folder.file(), &whole[..cut]).expect("written");
        let journal = folder.open();
        let finished = journal.unacknowledged().len() as u128;
        let expected = promised
            .iter()
            .filter(|(len, _)| *len <= cut as u64)
            .map(|(_, n)| *n)
            .max();
        assert_eq!(Some(finished), expected, "cut at {cut}");
        // And it can be written on.
        journal.accept(id(99), &start()).await.expect("written");
        assert!(folder.open().find(id(99)).is_some(), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_damaged_record_costs_only_itself() {
    let folder = Folder::new();
    let journal = folder.open();
    for number in 1..=3 {
        journal.accept(id(number), &start()).await.expect("written");
    }
    let text = std::fs::read_to_string(folder.file()).expect("readable");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("srv01", "srv02");
    std::fs::write(folder.file(), lines.join("\n") + "\n").expect("written");
    let journal = folder.open();
    assert_eq!(
        journal
            .unfinished()
            .iter()
            .map(|(id, _)| *id)
            .collect::<Vec<_>>(),
        [id(1), id(3)]
    );
}

#[tokio::test]
async fn history_is_forgotten_a_week_after_the_acknowledgement() {
    let folder = Folder::new();
    let journal = folder.open();
    for number in 1..=2 {
        journal.accept(id(number), &start()).await.expect("written");
        journal
            .finish(id(number), Ending::succeeded())
            .await
            .expect("written");
    }
    journal.acknowledge(id(1)).await.expect("written");
    let mut inner = journal.lock();
    let later = seconds(SystemTime::now()) + KEEP.as_secs() + 1;
    inner.forget(later);
    assert!(inner.known(id(1)).is_none());
    assert!(
        inner.known(id(2)).is_some(),
        "an unacknowledged result is never forgotten"
    );
    let live = inner.records();
    inner.file.replace(&live).expect("rewritten");
    drop(inner);
    assert_eq!(folder.open().unacknowledged().len(), 1);
}

//! Reading goes on past objects that hang, fail or have vanished.

use super::*;
use crate::connection::Connector;
use crate::options::Options;
use std::sync::mpsc::{Receiver, Sender, channel};

const LIMIT: Duration = Duration::from_millis(200);

/// What an object of these tests does when it is read.
#[derive(Clone)]
enum Manner {
    Answers,
    Fails,
    IsGone,
    HangsUntil(Arc<Mutex<Receiver<()>>>),
}

#[derive(Clone)]
struct Fake {
    number: u128,
    manner: Manner,
}

impl Object for Fake {
    type Filters = ();

    fn read(&self, (): &()) -> Result<Option<Inventory>> {
        match &self.manner {
            Manner::Answers => {
                let mut read = self.unread();
                read.vms[0].persistent = true;
                return Ok(Some(read));
            }
            Manner::Fails => return Err(Failure::new(Reason::Refused, "no")),
            Manner::IsGone => {}
            Manner::HangsUntil(end) => {
                let _ = end.lock().expect("one reader").recv();
            }
        }
        Ok(None)
    }

    fn unread(&self) -> Inventory {
        Inventory {
            vms: vec![model::Vm::named(self.uuid(), format!("vm{}", self.number))],
            ..Inventory::default()
        }
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.number)
    }

    fn warn(&self, _why: &str) {}
}

fn lane() -> Lane {
    Lane::new(
        "test",
        Arc::new(Connector::new("test:///default", &Options::default())),
        8,
    )
}

/// A reading of these objects, numbered in order.
fn reading(stuck: &Stuck, manners: Vec<Manner>) -> Reading<Fake> {
    let reading = Reading::new(stuck);
    let objects = (1..).zip(manners);
    let todo = objects.map(|(number, manner)| Fake { number, manner });
    reading.lock().todo = todo.collect();
    reading.lock().filters = Some(Arc::new(()));
    reading
}

/// Runs it and says of each object whether it was read.
async fn run(reading: Reading<Fake>, lane: &Lane) -> Vec<(String, bool)> {
    let read = reading.listed(lane, LIMIT).await.expect("an inventory");
    let vms = read.vms.into_iter();
    vms.map(|vm| (vm.name, vm.persistent)).collect()
}

fn hanging() -> (Sender<()>, Manner) {
    let (end, ended) = channel();
    (end, Manner::HangsUntil(Arc::new(Mutex::new(ended))))
}

#[tokio::test]
async fn an_object_that_fails_is_told_and_one_that_is_gone_is_not() {
    let manners = vec![Manner::Fails, Manner::IsGone, Manner::Answers];
    let read = run(reading(&Stuck::default(), manners), &lane()).await;
    assert_eq!(read, [("vm1".into(), false), ("vm3".into(), true)]);
}

#[tokio::test]
async fn an_object_that_hangs_does_not_spoil_the_rest_and_is_not_asked_again_meanwhile() {
    let (stuck, lane) = (Stuck::default(), lane());
    let (end, hangs) = hanging();
    let manners = vec![Manner::Answers, hangs.clone(), Manner::Answers];
    let read = run(reading(&stuck, manners), &lane).await;
    let expected = [
        ("vm1".to_owned(), true),
        ("vm2".into(), false),
        ("vm3".into(), true),
    ];
    assert_eq!(read, expected);

    // Again and again: the thread that is left to it stays the only one.
    for _ in 0..5 {
        let manners = vec![Manner::Answers, hangs.clone(), Manner::Answers];
        assert_eq!(run(reading(&stuck, manners), &lane).await, expected);
    }
    assert_eq!(lane.threads(), 2);

    drop(end);
    while !stuck.lock().expect("no panic").is_empty() {
        tokio::task::yield_now().await;
    }
    let manners = vec![Manner::Answers, Manner::Answers];
    let read = run(reading(&stuck, manners), &lane).await;
    assert!(read.iter().all(|(_, read)| *read), "{read:?}");
}

#[tokio::test]
async fn many_objects_are_read_side_by_side_each_once() {
    let (_keep, end) = channel();
    let hangs = Manner::HangsUntil(Arc::new(Mutex::new(end)));
    let mut manners = vec![Manner::Answers; 60];
    manners[7] = hangs;
    manners[8] = Manner::Fails;
    manners[59] = Manner::IsGone;
    let stuck = Stuck::default();
    let mut read = run(reading(&stuck, manners), &lane()).await;
    read.sort();
    let mut expected: Vec<(String, bool)> = (1..60)
        .map(|number| (format!("vm{number}"), ![8, 9].contains(&number)))
        .collect();
    expected.sort();
    assert_eq!(read, expected);
    assert_eq!(stuck.lock().expect("nobody panics").len(), 1);
}

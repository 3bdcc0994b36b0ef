//! What is of a server of databases alone: it goes away, others write at the same time, what is told crosses over.

use super::contract::fixture::{Fixture, INSTANCE, job, opening, store, vm};
use super::engine::Database;
use db::{DatabaseTls, ListQuery, NewJob, Place, Store, StoreError, Stored, Told};
use model::lifecycle::Request;
use model::{HostId, JobId, Vm, VmStatus};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_server_was_restarted() {
    let Fixture {
        store,
        mut database,
    } = store().await;
    let key = store
        .open_session(&opening(HostId(Uuid::now_v7()), "kvm1"))
        .await;
    let key = key.expect("opens").key;
    database.0.crash();
    let away = store.touch(key).await.expect_err("is away");
    assert!(away.is_retryable(), "{away}");
    database.0.run();
    // The connections that were lost are made anew.
    store.touch(key).await.expect("is back");
    assert_eq!(store.all_hosts().await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_server_that_stands_still_is_an_error_and_not_a_hang() {
    let Fixture { store, database } = store().await;
    let key = store
        .open_session(&opening(HostId(Uuid::now_v7()), "kvm1"))
        .await;
    let key = key.expect("opens").key;
    let everybody = |signal: &str| {
        let postmaster = database.0.pid();
        let script = format!("kill -{signal} {postmaster} && pkill -{signal} -P {postmaster}");
        let done = std::process::Command::new("sh")
            .args(["-c", &script])
            .status();
        assert!(done.expect("signals").success());
    };
    everybody("STOP");
    let still = tokio::time::timeout(Duration::from_secs(40), store.touch(key)).await;
    everybody("CONT");
    let error = still.expect("gives up").expect_err("got no answer");
    assert!(error.is_retryable(), "{error}");
    store.touch(key).await.expect("goes on");
}

#[tokio::test]
async fn news_of_one_server_reach_another() {
    let f = store().await;
    let other = f.database.open().await;
    let (mut changed, mut told) = (other.watch(), other.hear());
    // Both have to listen first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    changed.mark_unchanged();
    f.host("kvm1").await;
    let woken = tokio::time::timeout(Duration::from_secs(5), changed.changed()).await;
    woken.expect("is woken").expect("is open");
    let what = Told {
        to: Some(Uuid::from_u128(7)),
        about: "tunnel".into(),
        data: serde_json::json!({ "vm": "a b" }),
    };
    f.store.tell(&what);
    let heard = tokio::time::timeout(Duration::from_secs(5), told.recv()).await;
    assert_eq!(heard.expect("is told").expect("is open"), what);
}

#[tokio::test]
async fn after_a_restart_of_the_server_news_come_again() {
    let Fixture {
        store,
        mut database,
    } = store().await;
    let other = database.open().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    database.0.crash();
    database.0.run();
    let mut changed = other.watch();
    for n in 0..50 {
        let opened = store
            .open_session(&opening(HostId(Uuid::now_v7()), &format!("kvm{n}")))
            .await;
        opened.expect("opens");
        changed.mark_unchanged();
        if tokio::time::timeout(Duration::from_millis(200), changed.changed())
            .await
            .is_ok()
        {
            return;
        }
    }
    panic!("no news in ten seconds");
}

#[tokio::test]
async fn the_same_request_at_the_same_time_is_one_job() {
    let f = store().await;
    let key = f.host("kvm1").await;
    let vm = vm("a", VmStatus::Shutoff);
    let requests = (0..8).map(|_| {
        let job = NewJob {
            id: JobId(Uuid::now_v7()),
            key: Some(("key".to_owned(), vec![1])),
            ..job(key.host, &vm, Request::Start)
        };
        let store = f.store.clone();
        tokio::spawn(async move { store.insert_job(&job).await.expect("is queued") })
    });
    let requests: Vec<_> = requests.collect();
    let mut placed = Vec::new();
    for request in requests {
        placed.push(request.await.expect("ends"));
    }
    assert!(placed.iter().all(|one| one.job == placed[0].job));
    assert_eq!(placed.iter().filter(|one| !one.repeated).count(), 1);
}

/// A VM that moves is on two hosts for a moment; one keeps its id, the other gets a new one.
#[tokio::test]
async fn the_same_vm_from_two_hosts_at_once_is_recorded_twice() {
    let f = store().await;
    let (a, b) = (f.host("kvm1").await, f.host("kvm2").await);
    for round in 0..10 {
        let moved = vm(&format!("srv{round}"), VmStatus::Running);
        tokio::join!(
            f.snapshot(a, round + 1, vec![moved.clone()]),
            f.snapshot(b, round + 1, vec![moved.clone()]),
        );
        let query = ListQuery {
            limit: 10,
            ..ListQuery::default()
        };
        let page = f.store.list::<Stored<Vm>>(&query).await.expect("lists");
        assert_eq!(page.items.len(), 2);
        assert_eq!(
            page.items.iter().filter(|row| row.id == moved.uuid).count(),
            1
        );
    }
    assert_eq!(INSTANCE, Uuid::from_u128(99));
}

/// Users, agents and time work at one queue at once; nothing waits for each other in a circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancels_retries_reports_and_pruning_get_along() {
    let f = store().await;
    let mut tasks = Vec::new();
    for n in 0..6 {
        let key = f.host(&format!("kvm{n}")).await;
        let vm = vm(&format!("srv{n}"), VmStatus::Shutoff);
        let store = f.store.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                let job = job(key.host, &vm, Request::Start);
                store.insert_job(&job).await.expect("is queued");
                store.dispatch(key, true).await.expect("dispatches");
                store.cancel(job.actions[0].id).await.expect("is asked");
                store.touch(key).await.expect("is noted");
            }
        }));
    }
    for _ in 0..3 {
        let store = f.store.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                store.prune(jiff::Timestamp::now()).await.expect("prunes");
                store.expire(jiff::Timestamp::now()).await.expect("expires");
            }
        }));
    }
    for task in tasks {
        task.await.expect("nobody waits in a circle");
    }
}

#[tokio::test]
async fn what_names_no_database_is_refused_without_telling_the_password() {
    for (url, cause) in [
        ("postgres://u:secret@[h/d", "it is no URL"),
        (
            "postgres://u:secret@localhost:1/d?sslmode=require",
            "CA of the server",
        ),
        ("postgres://u:secret@localhost:1/d", "d on localhost"),
    ] {
        let error = Store::connect(url, &DatabaseTls::Off)
            .await
            .expect_err("is refused");
        assert!(error.to_string().contains(cause), "{error}");
        assert!(
            !format!("{error:?} {error}").contains("secret"),
            "{error:?}"
        );
    }
    let database = Database::new().await;
    let none = database.0.url().replace("/salar", "/nothing");
    let error = Store::connect(&none, &DatabaseTls::Off)
        .await
        .expect_err("is refused");
    let StoreError::Connect { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains("does not exist"), "{source}");
    assert_eq!(Place::default().to_string(), "0");
}

/// Encrypted, and only with the server that the CA has signed for.
#[tokio::test]
async fn the_connection_is_encrypted_with_a_ca_and_no_other_server_is_believed() {
    let folder = tempfile::Builder::new()
        .prefix("pg")
        .tempdir_in("/tmp")
        .expect("a folder");
    let (certificate, key) = (
        folder.path().join("server.pem"),
        folder.path().join("server-key.pem"),
    );
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&certificate, made.cert.pem()).expect("is written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("is written");
    // PostgreSQL's own user alone may read its key.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, mode).expect("is private");
    if std::fs::metadata("/proc/self")
        .map(|me| std::os::unix::fs::MetadataExt::uid(&me))
        .is_ok_and(|uid| uid == 0)
    {
        for file in [&certificate, &key] {
            let done = std::process::Command::new("chown")
                .arg("postgres")
                .arg(file)
                .status();
            assert!(done.expect("is given away").success());
        }
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = port.expect("a free port").port();
    let ca = folder.path().join("ca.pem");
    std::fs::copy(&certificate, &ca).expect("is copied");
    let settings = vec![
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
    ];
    // Its socket is of another name then, so that whether it is there is asked over the network.
    let _server = private_postgres::Server::start_in(folder, settings);
    let url = |host: &str| format!("postgres://salar@{host}:{port}/salar");
    let with_ca = DatabaseTls::Ca(ca);
    let store = Store::connect(&url("localhost"), &with_ca)
        .await
        .expect("connects");
    store.all_hosts().await.expect("reads");
    let other_name = Store::connect(&url("127.0.0.1"), &with_ca).await;
    let error = other_name.expect_err("the certificate is for another name");
    let cause = std::error::Error::source(&error)
        .expect("has a cause")
        .to_string();
    assert!(cause.contains("not valid for name"), "{cause}");
    let another =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), another.cert.pem()).expect("is written");
    let another = Store::connect(&url("localhost"), &DatabaseTls::Ca(file.path().to_owned())).await;
    assert!(another.is_err(), "another CA is believed");
    let empty = tempfile::NamedTempFile::new().expect("a file");
    let none = Store::connect(&url("localhost"), &DatabaseTls::Ca(empty.path().to_owned())).await;
    assert!(
        matches!(none, Err(StoreError::DatabaseUrl { .. })),
        "{none:?}"
    );
}

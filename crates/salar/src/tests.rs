//! The command line as a whole, and the settings of the server.

use crate::arguments::{Command, HandedOver, Salar};
use crate::serve::{File, settle};
use clap::{CommandFactory as _, Parser as _};
use expect_test::{expect, expect_file};
use std::path::Path;

fn parse_serve(words: &[&str]) -> crate::serve::Args {
    let words = ["salar", "serve"].iter().chain(words);
    match Salar::try_parse_from(words)
        .expect("valid arguments")
        .command
    {
        Command::Serve(args) => *args,
        other => panic!("not serve: {other:?}"),
    }
}

#[test]
fn help_names_every_command() {
    let mut command = Salar::command().term_width(100);
    command.build();
    let mut text = command.render_long_help().to_string();
    let serve = command.find_subcommand_mut("serve").expect("a command");
    text.push_str(&format!("\n# salar serve\n\n{}", serve.render_long_help()));
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    expect_file!["tests/help.txt"].assert_eq(&format!("{}\n", trimmed.join("\n")));
}

#[test]
fn arguments_are_consistent() {
    Salar::command().debug_assert();
}

#[test]
fn what_follows_call_is_for_the_agent() {
    let words = [
        "salar",
        "call",
        "--help",
        "--connect",
        "test:///default",
        "state.apply",
        "test=True",
    ];
    let Command::Call(HandedOver { arguments }) =
        Salar::try_parse_from(words).expect("valid").command
    else {
        panic!("not call");
    };
    assert_eq!(arguments, words[2..]);
}

#[test]
fn the_example_file_has_every_key_and_is_read() {
    let text = include_str!("../serve.example.toml");
    let file = File::parse(Path::new("serve.example.toml"), text).expect("valid");
    // A key that is added to the settings has to be shown in the example.
    let without_values = format!("{:?}", File::default());
    let keys = without_values.matches(": ").count();
    assert_eq!(
        text.lines()
            .filter(|line| line.contains(" = ") && !line.starts_with('#'))
            .count(),
        keys
    );
    assert_eq!(file.id.as_deref(), Some("kvm1.example"));
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let failure = File::parse(
        Path::new("serve.toml"),
        "id = \"a\"\n\nlissen = [\"127.0.0.1:1\"]\n",
    )
    .expect_err("refused");
    expect![[r#"
        Error: serve.toml:3:1: unknown field `lissen`, expected one of `state_dir`, `listen`, `listen_agents`, `database`, `database_ca`, `ca_dir`, `advertise_agents`, `hypervisor`, `no_agent`, `id`, `file_roots`, `pillar_roots`, `tls_cert`, `tls_key`, `allowed_hosts`, `nodegroups`, `reactor`, `web_dir`, `log_level`
        Hint: the settings are those of: salar serve --help
    "#]].assert_eq(&failure.to_string());
    let failure =
        File::parse(Path::new("serve.toml"), "listen = [\"localhost\"]\n").expect_err("refused");
    expect![[r#"
        Error: serve.toml:1:11: invalid socket address syntax
        Hint: the settings are those of: salar serve --help
    "#]]
    .assert_eq(&failure.to_string());
}

#[test]
fn arguments_go_before_the_file_and_the_file_before_defaults() {
    let file = File {
        listen: vec!["127.0.0.1:1".parse().expect("an address")],
        id: Some("file".to_owned()),
        log_level: Some("debug".to_owned()),
        no_agent: true,
        ..File::default()
    };
    let args = parse_serve(&[
        "--id",
        "argument",
        "--state-dir",
        "x",
        "--file-root",
        "/a",
        "--file-root",
        "b",
        "--file-root",
        "dev=c",
    ]);
    let settings = settle(args, file).expect("valid");
    let here = std::env::current_dir().expect("a folder");
    assert_eq!(settings.config.id.as_deref(), Some("argument"));
    assert_eq!(settings.config.state_dir, here.join("x"));
    assert_eq!(
        settings.config.listen,
        ["127.0.0.1:1".parse().expect("an address")]
    );
    let roots = &settings.config.file_roots;
    assert_eq!(roots.dirs("base"), [Path::new("/a"), &here.join("b")]);
    assert_eq!(roots.dirs("dev"), [here.join("c")]);
    assert_eq!(settings.log_level, tracing::Level::DEBUG);
    assert!(!settings.config.local_agent);
}

#[test]
fn half_a_certificate_is_refused() {
    let file = File {
        tls_cert: Some("a.pem".into()),
        no_agent: true,
        ..File::default()
    };
    let failure = settle(parse_serve(&[]), file)
        .expect_err("refused")
        .to_string();
    assert!(failure.contains("belong together"), "{failure}");
    assert!(Salar::try_parse_from(["salar", "serve", "--tls-key", "a"]).is_err());
}

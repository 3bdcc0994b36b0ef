//! `salar plan`, `describe` and `export` for other hosts than this machine: a host of the server, or a described one.
//!
//! For this machine they hand over to `salar-agent`. A described host needs no libvirt, so its plans are made here.

use crate::{client_work, hand_over};
use agent::Minion;
use agent::functions::{self, Context, Fault};
use clap::{CommandFactory, Parser};
use cli::{Answer, Failure, OneHost, Outcome, print};
use described::ReadError;
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use tree::{Root, Roots};

/// Print what states would do, step by step; changes nothing
#[derive(Debug, Parser)]
#[command(name = "salar plan", after_help = LOCAL_PLAN)]
struct PlanOf {
    /// Plan for the host that a folder describes; needs no libvirt
    #[arg(long, value_name = "DIR", conflicts_with_all = ["host"])]
    against: Option<PathBuf>,

    #[command(flatten)]
    host: OneHost,

    /// Folder of state files, or ENV=DIR, with --against; may be given several times [default: /srv/salt]
    #[arg(long, value_name = "DIR", requires = "against")]
    file_root: Vec<Root>,

    /// Folder of pillar files, or ENV=DIR, with --against, where the description has no pillar
    #[arg(long, value_name = "DIR", requires = "against")]
    pillar_root: Vec<Root>,

    /// Merged over the pillar: '{key: value}'
    #[arg(long, value_name = "YAML")]
    pillar: Option<String>,

    /// Print the whole plan as JSON
    #[arg(long)]
    json: bool,

    /// State files, as in state.apply [default: what the top file assigns]
    #[arg(value_name = "SLS")]
    sls: Vec<String>,
}

const LOCAL_PLAN: &str = "Without --host and --against this machine itself is planned for; salar-agent plan --help has what else can be given then.";

/// Write a host as files, from which plans are made elsewhere
#[derive(Debug, Parser)]
#[command(name = "salar describe", after_help = LOCAL_DESCRIBE)]
struct DescriptionOf {
    #[command(flatten)]
    host: OneHost,

    /// Write the pillar, too: it may hold passwords
    #[arg(long)]
    pillar: bool,

    /// Folder to write; an older description in it is replaced
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

const LOCAL_DESCRIBE: &str = "Without --host this machine itself is described; salar-agent describe --help has what else can be given then.";

/// Print the SLS that declares what is there; applied to the same host it changes nothing
#[derive(Debug, Parser)]
#[command(name = "salar export", after_help = LOCAL_EXPORT)]
struct ExportOf {
    #[command(flatten)]
    host: OneHost,

    /// VMs to declare, with the networks and pools they use [default: everything there is]
    #[arg(value_name = "VM")]
    vms: Vec<String>,
}

const LOCAL_EXPORT: &str = "Without --host this machine itself is exported; salar-agent export --help has what else can be given then.";

/// Where state files and pillar are when nothing else is said.
const FILE_ROOT: &str = "/srv/salt";
const PILLAR_ROOT: &str = "/srv/pillar";

pub(crate) fn plan(given: Vec<OsString>) -> Result<Outcome, Failure> {
    if !is_elsewhere(&given) {
        return hand_over::exec("plan", given);
    }
    let options: PlanOf = parse(given);
    let mut asked = Map::new();
    if !options.sls.is_empty() {
        asked.insert("mods".to_owned(), json!(options.sls));
    }
    if let Some(pillar) = &options.pillar {
        asked.insert("pillar".to_owned(), json!(pillar));
    }
    let json = options.json;
    let answer = match options.against {
        Some(folder) => against(folder, options.file_root, options.pillar_root, &asked)?,
        None => answer(options.host, "state.plan", Vec::new(), asked)?,
    };
    match answer.value {
        Value::Object(_) if json => print(&format!("{:#}\n", answer.value))?,
        Value::Object(_) => print(&outputter::plan_page(&answer.value))?,
        // The texts of states that do not compile.
        Value::Array(texts) => {
            let texts = texts.iter().filter_map(Value::as_str);
            return Err(Failure::new(texts.collect::<Vec<_>>().join("\nError: ")));
        }
        _ => {}
    }
    match answer.failure {
        None => Ok(Outcome::Done),
        Some(failure) => Err(failure),
    }
}

/// The plan for a described host.
fn against(
    folder: PathBuf,
    file_roots: Vec<Root>,
    pillar_roots: Vec<Root>,
    asked: &Map<String, Value>,
) -> Result<Answer, Failure> {
    let described = described::read(&folder).map_err(|error: ReadError| {
        Failure::new(format!("cannot plan for {}: {error}", folder.display())).hint(error.hint())
    })?;
    let roots = |given: Vec<Root>, default: &str| match given.is_empty() {
        true => Roots::new([PathBuf::from(default)]),
        false => Roots::given(given),
    };
    // Nothing is ever written there: a described host has nothing to keep.
    let mut minion = Minion::described(described, folder);
    minion.files = roots(file_roots, FILE_ROOT);
    minion.pillar = roots(pillar_roots, PILLAR_ROOT);
    let minion = Arc::new(minion);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let called = runtime.block_on(async {
        functions::call(&minion, "state.plan", &[], asked, &Context::quiet()).await
    });
    match called {
        Err(fault) => Err(failed(fault)),
        Ok(returned) => Ok(Answer {
            failure: (!returned.ok && returned.value.is_object())
                .then(|| Failure::new("the plan has a state that fails")),
            value: returned.value,
        }),
    }
}

pub(crate) fn describe(given: Vec<OsString>) -> Result<Outcome, Failure> {
    if !is_elsewhere(&given) {
        return hand_over::exec("describe", given);
    }
    let DescriptionOf {
        host,
        pillar,
        folder,
    } = parse(given);
    let asked = Map::from_iter([("pillar".to_owned(), json!(pillar))]);
    let files = value(answer(host, "host.describe", Vec::new(), asked)?)?;
    let files = files.as_object().into_iter().flatten();
    let files = files.filter_map(|(path, text)| Some((path.as_str(), text.as_str()?)));
    let number = described::save(&folder, files).map_err(|error| {
        Failure::new(error.to_string()).hint("name a new folder, or an older description")
    })?;
    eprintln!("{number} files in {}", folder.display());
    Ok(Outcome::Done)
}

pub(crate) fn export(given: Vec<OsString>) -> Result<Outcome, Failure> {
    if !is_elsewhere(&given) {
        return hand_over::exec("export", given);
    }
    let ExportOf { host, vms } = parse(given);
    let names = vms.into_iter().map(Value::String).collect();
    let sls = value(answer(host, "virt.export", names, Map::new())?)?;
    print(sls.as_str().unwrap_or_default())?;
    Ok(Outcome::Done)
}

/// What a host of the server answers.
fn answer(
    host: OneHost,
    fun: &'static str,
    args: Vec<Value>,
    kwargs: Map<String, Value>,
) -> Result<Answer, Failure> {
    let mut answer = None;
    client_work(async {
        answer = Some(host.call(fun, args, kwargs).await?);
        Ok(Outcome::Done)
    })?;
    answer.ok_or_else(|| Failure::new("there was no answer"))
}

fn value(answer: Answer) -> Result<Value, Failure> {
    match answer.failure {
        None => Ok(answer.value),
        Some(failure) => Err(failure),
    }
}

fn failed(fault: Fault) -> Failure {
    let failure = Failure::new(fault.message);
    match fault.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Whether the arguments are for another host, or ask for the help that tells about them.
fn is_elsewhere(given: &[OsString]) -> bool {
    given.iter().filter_map(|word| word.to_str()).any(|word| {
        let option = word.split('=').next().unwrap_or_default();
        matches!(option, "--host" | "--against" | "--help" | "-h")
    })
}

fn parse<T: Parser + CommandFactory>(given: Vec<OsString>) -> T {
    T::parse_from(std::iter::once(OsString::from("salar")).chain(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_make_sense() {
        PlanOf::command().debug_assert();
        DescriptionOf::command().debug_assert();
        ExportOf::command().debug_assert();
    }

    #[test]
    fn only_another_host_is_planned_for_here() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(is_elsewhere(&words("vm --against=d")));
        assert!(is_elsewhere(&words("--host kvm2 vm")));
        assert!(!is_elsewhere(&words("vm --connect qemu:///system")));
    }
}

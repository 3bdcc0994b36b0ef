//! `salar simulate`: a fleet of hosts that exist in memory only, each with an agent of its own that joins a server over the
//! real link. For trying a server, and for measuring one.

use agent::grains::OwnGrains;
use agent::{Agent, Delays, Join, Minion, Received, ServerAddress, Vitals};
use cli::{Failure, Outcome};
use model::plan::{Step, VmOp};
use serde_json::{Value, json};
use simulated::{Fleet, Host, Size};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often it is said how things are.
const SAY: Duration = Duration::from_secs(10);
/// Something happens this often; how much is as the rate asks.
const TICK: Duration = Duration::from_millis(10);
/// The server has the inventories of all hosts to write, before anything happens to them.
const FIRST_INVENTORIES: Duration = Duration::from_secs(5);
/// After the last event the server gets so long to confirm it.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a host's libvirtd or agent is away, in seconds.
const AWAY: std::ops::Range<u64> = 3..15;

/// Be a fleet of hosts that exist in memory only, to try a server or to measure it
///
/// Each host has an agent of its own, which joins the server as any other: accept the keys with salar key accept 'sim-*'.
/// Then VMs start, stop, crash, move and are edited, and hosts go away and come back, until it is told to end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address of the server for agents: https://HOST:PORT (see --listen-agents of salar serve)
    #[arg(long, value_name = "ADDRESS")]
    server: ServerAddress,

    /// How many hosts; every tenth one is of Xen
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    hosts: u16,

    /// How many VMs on all of them together
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    vms: u32,

    /// How many events libvirt tells in a second, on all hosts together
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=100_000))]
    events_per_second: u32,

    /// How many hosts lose their libvirtd or their agent for some seconds, in a minute
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=600))]
    outages_per_minute: u32,

    /// Let nothing happen any more after so many seconds; the hosts stay
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Write what was measured, and all VMs as they are then, to this file (JSON) after these seconds
    #[arg(long, value_name = "FILE", requires = "seconds")]
    report: Option<PathBuf>,

    /// Write at the end what servers have had done to the VMs of each host, in order, and all VMs as they are (JSON)
    #[arg(long, value_name = "FILE")]
    performed: Option<PathBuf>,

    /// The same number is the same history
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Folder for the keys of the hosts: with the same folder they come back as the same hosts
    #[arg(long, value_name = "DIR", default_value = "simulated")]
    state_dir: PathBuf,

    /// What the agents log: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = crate::serve::log_level)]
    log_level: tracing::Level,
}

/// Simulates until it is told to end.
pub(crate) fn run(args: Args) -> Result<Outcome, Failure> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(args.log_level)
        .init();
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    runtime.block_on(simulate(args))
}

async fn simulate(args: Args) -> Result<Outcome, Failure> {
    let ended = crate::serve::told_to_end()?;
    let size = Size {
        hosts: usize::from(args.hosts),
        vms: args.vms as usize,
    };
    let fleet = Fleet::new(size, args.seed);
    let (hosts, performed_file) = (fleet.hosts().to_vec(), args.performed.clone());
    let stop = CancellationToken::new();
    let mut agents = Agents::start(&args, fleet.hosts(), &stop);
    let life = live(args, fleet, agents.present.clone(), agents.vitals.clone());
    let result = tokio::select! {
        // Cancel safety: nothing of the simulation is wanted after its end.
        result = life => result,
        () = ended => Ok(()),
        Some(failure) = agents.failed() => Err(failure),
    };
    stop.cancel();
    agents.end().await;
    if let Some(path) = performed_file {
        write(&path, &performed(&hosts))?;
    }
    result.map(|()| Outcome::Done)
}

/// The agents of all hosts.
struct Agents {
    running: JoinSet<Result<(), agent::AgentError>>,
    /// Whether a host's agent is to be there, by the host's number.
    present: Arc<[watch::Sender<bool>]>,
    vitals: Arc<Vitals>,
}

impl Agents {
    fn start(args: &Args, hosts: &[Host], stop: &CancellationToken) -> Self {
        let vitals = Arc::new(Vitals::default());
        let mut running = JoinSet::new();
        let start = |host: &Host| {
            let (present, wanted) = watch::channel(true);
            let kept = Kept {
                host: host.clone(),
                server: args.server.clone(),
                state_dir: args.state_dir.join(&host.name),
                vitals: vitals.clone(),
            };
            running.spawn(kept.run(wanted, stop.clone()));
            present
        };
        let present = hosts.iter().map(start).collect();
        Self {
            running,
            present,
            vitals,
        }
    }

    /// Why an agent could not go on.
    async fn failed(&mut self) -> Option<Failure> {
        loop {
            match self.running.join_next().await? {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(Failure::new(error.to_string())),
                Err(error) => return Some(Failure::new(format!("an agent broke: {error}"))),
            }
        }
    }

    async fn end(mut self) {
        while self.running.join_next().await.is_some() {}
    }
}

/// One host's agent, as often as it is started.
struct Kept {
    host: Host,
    server: ServerAddress,
    state_dir: PathBuf,
    vitals: Arc<Vitals>,
}

impl Kept {
    async fn run(
        self,
        mut wanted: watch::Receiver<bool>,
        stop: CancellationToken,
    ) -> Result<(), agent::AgentError> {
        while !stop.is_cancelled() {
            let away = stop.child_token();
            let gone = async {
                // The sender lives as long as the fleet.
                let _ = wanted.wait_for(|wanted| !wanted).await;
                away.cancel();
                std::future::pending().await
            };
            tokio::select! {
                // Cancel safety: waiting for a word holds nothing.
                done = agent::run(self.agent(), away.clone()) => done?,
                () = gone => {}
            }
            tokio::select! {
                // Cancel safety: the same.
                () = stop.cancelled() => {}
                _ = wanted.wait_for(|wanted| *wanted) => {}
            }
        }
        Ok(())
    }

    fn agent(&self) -> Agent {
        let hypervisor = Arc::new(self.host.hypervisor.clone());
        let (name, uri) = (self.host.name.clone(), "simulated:///system");
        let own_grains = OwnGrains {
            file: self.state_dir.join("grains"),
            configured: self.host.grains.clone(),
        };
        Agent {
            minion: Arc::new(Minion {
                received: Some(Arc::new(Received::new(&self.state_dir))),
                own_grains,
                ..Minion::new(name, hypervisor, uri, self.state_dir.clone())
            }),
            server: self.server.clone(),
            join: Join::default(),
            vitals: self.vitals.clone(),
        }
    }
}

/// What has happened so far.
struct Told {
    events: u64,
    /// Delays before it began.
    before: Delays,
}

/// Lets things happen.
async fn live(
    args: Args,
    mut fleet: Fleet,
    present: Arc<[watch::Sender<bool>]>,
    vitals: Arc<Vitals>,
) -> Result<(), Failure> {
    all_connected(&args, &vitals).await?;
    tokio::time::sleep(FIRST_INVENTORIES).await;
    let begun = Instant::now();
    let mut told = Told {
        events: 0,
        before: vitals.delays(),
    };
    let mut outages = Outages::new(&args, fleet.hosts(), present);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut said, mut events_said, mut delays_said) = (begun, 0, told.before.clone());
    let end = args.seconds.map(Duration::from_secs);
    while end.is_none_or(|end| begun.elapsed() < end) {
        tick.tick().await;
        let due = begun
            .elapsed()
            .mul_f64(f64::from(args.events_per_second))
            .as_secs();
        // Some things that could happen do not: a fleet without VMs has no events at all.
        for _ in 0..due.saturating_sub(told.events) {
            if told.events >= due {
                break;
            }
            told.events += fleet.step();
        }
        outages.follow(begun.elapsed());
        if said.elapsed() >= SAY {
            let delays = vitals.delays();
            let news = delays.since(&delays_said);
            let rate = (told.events - events_said) as f64 / said.elapsed().as_secs_f64();
            say(&format!(
                "{} of {} hosts connected, {} VMs, {} events, {rate:.0}/s{}",
                vitals.sessions(),
                args.hosts,
                args.vms,
                told.events,
                percentiles(&news)
            ))?;
            (said, events_said, delays_said) = (Instant::now(), told.events, delays);
        }
    }
    outages.end();
    tokio::time::sleep(SETTLE).await;
    let report = report(&told, outages.had, &args, &fleet, &vitals);
    if let Some(path) = &args.report {
        write(path, &report)?;
    }
    say("Nothing happens any more")?;
    std::future::pending().await
}

/// Waits until every host has a session, and says what it takes.
async fn all_connected(args: &Args, vitals: &Vitals) -> Result<(), Failure> {
    let mut said = Instant::now();
    let mut waited = false;
    while vitals.sessions() < u64::from(args.hosts) {
        tokio::time::sleep(TICK).await;
        let patience = if waited { SAY } else { SAY / 3 };
        if said.elapsed() >= patience {
            let then = match vitals.sessions() {
                0 => format!(
                    "is there a server at {}, and are they accepted",
                    args.server
                ),
                _ => "accept the others on the server".to_owned(),
            };
            say(&format!(
                "{} of {} hosts connected; {then}: salar key accept 'sim-*'",
                vitals.sessions(),
                args.hosts
            ))?;
            (said, waited) = (Instant::now(), true);
        }
    }
    say(&format!("All {} hosts are connected", args.hosts))
}

/// Hosts that lose their libvirtd or their agent for a while.
struct Outages {
    hosts: Vec<Host>,
    present: Arc<[watch::Sender<bool>]>,
    per_minute: u32,
    rng: fastrand::Rng,
    /// So many there have been.
    had: u64,
}

impl Outages {
    fn new(args: &Args, hosts: &[Host], present: Arc<[watch::Sender<bool>]>) -> Self {
        Self {
            hosts: hosts.to_vec(),
            present,
            per_minute: args.outages_per_minute,
            rng: fastrand::Rng::with_seed(args.seed),
            had: 0,
        }
    }

    /// Begins what is due after this time.
    fn follow(&mut self, elapsed: Duration) {
        let due = elapsed.mul_f64(f64::from(self.per_minute)).as_secs() / 60;
        while self.had < due {
            self.begin();
            self.had += 1;
        }
    }

    fn begin(&mut self) {
        let number = self.rng.usize(..self.hosts.len());
        let away = Duration::from_secs(self.rng.u64(AWAY));
        if self.rng.bool() {
            let hypervisor = self.hosts[number].hypervisor.clone();
            hypervisor.set_reachable(false);
            tokio::spawn(async move {
                tokio::time::sleep(away).await;
                hypervisor.set_reachable(true);
            });
        } else {
            let present = self.present.clone();
            present[number].send_replace(false);
            tokio::spawn(async move {
                tokio::time::sleep(away).await;
                present[number].send_replace(true);
            });
        }
    }

    /// Everything is back.
    fn end(&self) {
        for (host, present) in self.hosts.iter().zip(self.present.iter()) {
            host.hypervisor.set_reachable(true);
            present.send_replace(true);
        }
    }
}

fn percentiles(delays: &Delays) -> String {
    match (delays.percentile(50.0), delays.percentile(99.0)) {
        (Some(half), Some(most)) => format!(
            "; in the store after {} ms, 99 % after {} ms",
            half.as_millis(),
            most.as_millis()
        ),
        _ => String::new(),
    }
}

fn report(told: &Told, outages: u64, args: &Args, fleet: &Fleet, vitals: &Vitals) -> Value {
    let delays = vitals.delays().since(&told.before);
    let ms = |hundredths| {
        delays
            .percentile(hundredths)
            .map(|delay| delay.as_secs_f64() * 1e3)
    };
    let vms = fleet.vms().into_iter();
    let vms: Vec<Value> = vms
        .map(|vm| json!({"host": vm.host, "name": vm.name, "status": vm.status}))
        .collect();
    json!({
        "seconds": args.seconds,
        "events": told.events,
        "outages": outages,
        "changes_confirmed": delays.count(),
        "delay_ms": {"50": ms(50.0), "90": ms(90.0), "99": ms(99.0), "100": ms(100.0)},
        "vms": vms,
    })
}

/// What was asked of each host's VMs, in the order in which its hypervisor did it.
fn performed(hosts: &[Host]) -> Value {
    let of_host = |host: &Host| {
        let steps = host.hypervisor.performed().into_iter();
        let steps: Vec<Value> = steps
            .filter_map(|step| match step {
                Step::Vm {
                    name,
                    op: VmOp::Life(request),
                } => Some(json!([name, request.as_str()])),
                _ => None,
            })
            .collect();
        let vms = host.hypervisor.statuses().into_iter();
        let vms: Vec<Value> = vms
            .map(|(name, status)| json!([name, status.as_str()]))
            .collect();
        (host.name.clone(), json!({ "steps": steps, "vms": vms }))
    };
    Value::Object(hosts.iter().map(of_host).collect())
}

fn write(path: &Path, report: &Value) -> Result<(), Failure> {
    std::fs::write(path, report.to_string())
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format!("cannot write to standard output: {error}")))
}

//! Processes that divide the namespaces among them, while their number changes and all of them fail in every way. Each namespace
//! has one credential; whatever happens, it has one process at a time.

mod election;
mod process;

use std::collections::BTreeMap;

use cube_operator::{
    api::{ConditionStatus, ConditionType, CubeCredentialSpec},
    leader::Shard,
    reconcile::SourceValue,
};
use fastrand::Rng;

use crate::{
    model::{
        logins::Rules,
        objects::Objects,
        provider::{Provider, refresh_token},
    },
    world::BEGIN,
};
use election::{Api, Clocks, Leases};
use process::Process;

/// Seconds that an access token lives. Half of them are left at its refresh.
const LIFETIME: i64 = 600;
/// Seconds of changes, and of the quiet after them.
const CHANGES: i64 = 1_200;
const QUIET: i64 = 900;
/// The longest time between the first and the last process of a change.
const ROLLOUT: i64 = 60;
/// Each shard of five has one.
const NAMESPACES: [&str; 6] = ["treasury", "books", "payroll", "sales", "ledger", "finance"];

/// What is counted over histories.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) exchanges: u64,
    pub(crate) rebalances: u64,
    pub(crate) crashes: u64,
    /// Exchanges that began while one of a process that had been cut off was still in progress.
    pub(crate) overlaps: u64,
    /// Logins that ended with a process that was killed, asleep or cut off during an exchange.
    pub(crate) lost_logins: u64,
}

/// The credential of a namespace, and everything around it.
struct Namespace {
    name: &'static str,
    objects: Objects,
    provider: Provider,
    /// Whether it has a login, whose refresh tokens work once.
    has_login: bool,
    /// A process was killed, asleep or cut off in an exchange: its token may be lost.
    excused: bool,
    /// The last token that was issued: when, and by which pod.
    issued: Option<(i64, usize)>,
    /// When the token in the target was issued.
    published: Option<i64>,
    /// When each refresh token was sent, and by which pod.
    sent: BTreeMap<u64, (i64, usize)>,
}

impl Namespace {
    fn spec(&self) -> CubeCredentialSpec {
        let mut spec = serde_json::json!({
            "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
        });
        if self.has_login {
            spec["grant"] = "RefreshToken".into();
            spec["refreshTokenRef"] = serde_json::json!({"name": "login"});
        }
        serde_json::from_value(spec).expect("it is a spec")
    }

    /// The token that consumers have.
    fn token(&self) -> Option<u64> {
        self.objects.cluster.number("main-token", "access-token")
    }
}

/// A pod, which restarts its process until it is terminated.
struct Pod {
    shard: Shard,
    process: Option<Process>,
    start_at: i64,
    terminate_at: Option<i64>,
}

struct World {
    random: Rng,
    now: i64,
    faulty: bool,
    /// Whether nothing ever goes wrong.
    calm: bool,
    clocks: Clocks,
    leases: Leases,
    namespaces: Vec<Namespace>,
    pods: Vec<Pod>,
    figures: Figures,
    log: Vec<String>,
}

/// Lives a history, and returns its log if a promise is broken.
pub(crate) fn live(seed: u64) -> Result<Figures, String> {
    let mut world = World::new(seed);
    let change_at = [world.random.i64(100..500), world.random.i64(500..900)];
    while world.now < BEGIN + CHANGES {
        let before = world.now;
        world.step()?;
        if world.now > before && change_at.contains(&(world.now - BEGIN)) {
            world.rebalance();
        }
    }
    world.faulty = false;
    for process in world.pods.iter_mut().filter_map(|pod| pod.process.as_mut()) {
        (process.asleep_until, process.cut_until) = (0, 0);
    }
    while world.now < BEGIN + CHANGES + QUIET {
        world.step()?;
    }
    world.check_the_end()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let faulty = random.u8(0..4) > 0;
        let mut world = Self {
            faulty,
            calm: !faulty,
            random,
            now: BEGIN,
            clocks: Clocks::new(),
            leases: Leases::default(),
            namespaces: NAMESPACES.iter().enumerate().map(namespace).collect(),
            pods: Vec::new(),
            figures: Figures::default(),
            log: Vec::new(),
        };
        world.deploy();
        world
    }

    fn note(&mut self, line: &str) {
        self.log.push(format!("{:>5} {line}", self.now - BEGIN));
    }

    /// One pod for each shard of a random count, and perhaps one that stands by.
    fn deploy(&mut self) {
        let count = self.random.u32(1..=5);
        self.note(&format!("{count} shards"));
        for number in 0..(count + self.random.u32(0..=1)).min(5) {
            let shard = Shard::new(number % count, count).expect("it is one of them");
            self.pods.push(Pod {
                shard,
                process: None,
                start_at: self.now + self.random.i64(0..ROLLOUT),
                terminate_at: None,
            });
        }
    }

    /// The pods are replaced by those of another count, in any order.
    fn rebalance(&mut self) {
        self.figures.rebalances += 1;
        for pod in &mut self.pods {
            let at = self.now + self.random.i64(0..ROLLOUT);
            pod.terminate_at.get_or_insert(at);
        }
        self.deploy();
    }

    /// One step of one process, or time passes.
    fn step(&mut self) -> Result<(), String> {
        let due: Vec<_> = self
            .pods
            .iter()
            .enumerate()
            .filter_map(|(who, pod)| Some((who, pod.process.as_ref()?)))
            .flat_map(|(who, process)| process.due(self.now).map(move |what| (who, what)))
            .collect();
        if due.is_empty() {
            self.now += 1;
            self.leases.land(self.now);
            self.pods_change();
            return self.check().map_err(|error| self.told(&error));
        }
        let (who, what) = due[self.random.usize(0..due.len())];
        if self.faulty && self.random.u16(0..3000) == 0 {
            self.strike(who);
            return Ok(());
        }
        let result = self.step_of(who, what);
        result.map_err(|error| self.told(&error))
    }

    fn told(&self, error: &str) -> String {
        format!("{}\n{error}", self.log.join("\n"))
    }

    /// Pods start, restart and end.
    fn pods_change(&mut self) {
        for who in 0..self.pods.len() {
            let (now, clocks) = (self.now, self.clocks);
            let pod = &mut self.pods[who];
            let terminated = pod.terminate_at.is_some_and(|at| at <= now);
            if let Some(process) = &mut pod.process {
                process.stopping |= terminated;
                if process.is_over() {
                    pod.process = None;
                    pod.start_at = now + self.random.i64(1..10);
                    // What it could not publish is lost with it.
                    for namespace in self.namespaces.iter_mut().filter(|_| !self.calm) {
                        let issued = namespace.issued.filter(|(_, by)| *by == who);
                        namespace.excused |= issued.map(|(at, _)| at) > namespace.published;
                    }
                    self.note(&format!("process {who} has ended"));
                }
            } else if !terminated && pod.start_at <= now {
                pod.process = Some(Process::new(who, pod.shard, NAMESPACES.len(), clocks, now));
                let shard = pod.shard;
                self.note(&format!("process {who} of {shard} begins"));
            }
        }
    }

    /// A process is killed, sleeps, or does not reach the API server.
    fn strike(&mut self, who: usize) {
        let (what, lasts) = (self.random.u8(0..3), self.random.i64(1..60));
        let pod = &mut self.pods[who];
        let process = pod.process.as_mut().expect("it has something to do");
        for (what, run) in process.runs.iter_mut().enumerate() {
            if let Some(flight) = run.as_mut().and_then(|run| run.flight.as_mut()) {
                flight.is_cut_off = true;
            }
            let in_progress = run.as_ref().is_some_and(|run| run.session.is_some());
            self.namespaces[what].excused |= in_progress;
        }
        let until = self.now + lasts;
        let what = match what {
            0 => {
                (pod.process, pod.start_at) = (None, until);
                self.figures.crashes += 1;
                "is killed"
            }
            1 => {
                process.asleep_until = until;
                "is asleep"
            }
            _ => {
                process.cut_until = until;
                "is cut off"
            }
        };
        self.note(&format!("process {who} {what} for {lasts} s"));
    }

    fn api<'a>(
        (leases, random): (&'a mut Leases, &'a mut Rng),
        (clocks, faulty): (Clocks, bool),
        process: &Process,
        now: i64,
    ) -> Api<'a> {
        Api {
            leases,
            clocks,
            cut: now < process.cut_until,
            faulty,
            random,
        }
    }

    /// Nobody else may make an exchange in this namespace now, or has one in progress.
    fn may_begin(&mut self, who: usize, what: usize, token: Option<u64>) -> Result<(), String> {
        let (now, clocks) = (self.now, self.clocks);
        let namespace = &mut self.namespaces[what];
        let name = namespace.name;
        self.figures.exchanges += 1;
        self.log.push(format!(
            "{:>5} process {who} begins an exchange in {name} ({token:?})",
            now - BEGIN
        ));
        let others = self
            .pods
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != who);
        for (other, process) in
            others.filter_map(|(other, pod)| Some((other, pod.process.as_ref()?)))
        {
            if process.leads(clocks, now) && process.shard.has(name) && token.is_none() {
                return Err(format!("process {other} may begin one too"));
            }
            let flight = process.runs[what]
                .as_ref()
                .and_then(|run| run.flight.as_ref());
            match flight {
                Some(flight) if flight.is_cut_off => self.figures.overlaps += 1,
                Some(_) => return Err(format!("process {other} has one in progress")),
                None => {}
            }
        }
        let fresh = |at: i64| now < at + LIFETIME / 4;
        match (namespace.issued, namespace.published) {
            _ if namespace.excused => {}
            (_, Some(at)) if fresh(at) => return Err("the published token is fresh".into()),
            (Some((at, by)), _) if fresh(at) => {
                return Err(format!("process {by} has a fresh token"));
            }
            _ => {}
        }
        let Some(token) = token else { return Ok(()) };
        match namespace.sent.insert(token, (now, who)) {
            Some((at, by)) if by != who && now < at + 30 => {
                Err(format!("r{token} is sent within the claim of process {by}"))
            }
            Some(_) if !namespace.excused => Err(format!("r{token} is sent again")),
            _ => Ok(()),
        }
    }

    /// No namespace has two processes that may begin an exchange, and without faults each has a token at any time.
    fn check(&self) -> Result<(), String> {
        let (now, clocks) = (self.now, self.clocks);
        let processes = || self.pods.iter().filter_map(|pod| pod.process.as_ref());
        for namespace in &self.namespaces {
            let leaders = processes()
                .filter(|process| process.leads(clocks, now) && process.shard.has(namespace.name));
            if leaders.count() > 1 {
                return Err(format!("two processes lead in {}", namespace.name));
            }
            let expired = namespace.published.is_some_and(|at| now >= at + LIFETIME);
            if self.calm && expired {
                return Err(format!("the token in {} has expired", namespace.name));
            }
        }
        Ok(())
    }

    fn check_the_end(mut self) -> Result<Figures, String> {
        let (now, clocks) = (self.now, self.clocks);
        let mut wrong = Vec::new();
        for namespace in &self.namespaces {
            let name = namespace.name;
            let leaders = self.pods.iter().filter_map(|pod| pod.process.as_ref());
            let leaders =
                leaders.filter(|process| process.leads(clocks, now) && process.shard.has(name));
            if leaders.count() != 1 {
                wrong.push(format!("{name} is not served"));
            }
            let ready = namespace.objects.status.condition(ConditionType::Ready);
            let is_ready = ready.is_some_and(|ready| ready.status == ConditionStatus::True)
                && namespace.published.is_some_and(|at| now < at + LIFETIME);
            if is_ready {
                continue;
            }
            if namespace.has_login && namespace.excused {
                self.figures.lost_logins += 1;
            } else {
                wrong.push(format!("{name} has no token: {ready:?}"));
            }
        }
        if wrong.is_empty() {
            return Ok(self.figures);
        }
        Err(self.told(&wrong.join("\n")))
    }
}

fn namespace((number, name): (usize, &&'static str)) -> Namespace {
    let mut objects = Objects::new("main", &format!("uid-in-{name}"));
    let text = |value: &str| SourceValue::Text(value.into());
    objects.put_client(text("client"), text("secret"));
    let mut provider = Provider::new(Rules::STRICT);
    let has_login = number % 2 == 0;
    if has_login {
        let token = provider.logins.sign_in();
        objects.put_seed(SourceValue::Text(refresh_token(token)));
    }
    Namespace {
        name,
        objects,
        provider,
        has_login,
        excused: false,
        issued: None,
        published: None,
        sent: BTreeMap::new(),
    }
}

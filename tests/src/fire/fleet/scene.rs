//! A service, a store, and hosts.

use std::{io, path::PathBuf, time::Duration};

use super::server::Server;
use crate::{
    crew::{Crew, Place},
    fire::{
        Ground, Tally,
        scene::{KEY, real_time},
    },
    plan::{Plan, Report},
    service::Service,
};

pub(super) const LOGIN: Duration = Duration::from_millis(300);

pub(super) struct Fleet {
    pub(super) service: Service,
    pub(super) server: Server,
    pub(super) outer: tempfile::TempDir,
    place: Place,
    /// The parameters after the store's address.
    pub(super) parameters: String,
    /// The number of directories, so that each new host has a new one.
    made: usize,
}

/// Reports that a row cannot be tried if there is no `redis-server`.
pub(super) fn is_missing(tally: &mut Tally) -> bool {
    let is_missing = !Server::is_installed();
    if is_missing {
        tally.not_tried("a token store: redis-server is not installed");
    }
    is_missing
}

impl Fleet {
    pub(super) fn new(ground: &Ground) -> io::Result<Self> {
        Self::with(ground, Server::start(&[])?)
    }

    pub(super) fn with(ground: &Ground, server: Server) -> io::Result<Self> {
        let service = Service::start(real_time)?;
        let outer = tempfile::Builder::new().prefix("colony-fleet-").tempdir()?;
        let place = Place::new(&ground.program, service.base_url(), KEY, outer.path().join("none"));
        Ok(Self { service, server, outer, place, parameters: String::new(), made: 0 })
    }

    /// Returns the store's address.
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0{}", self.server.port, self.parameters)
    }

    /// Returns a host with an empty cache.
    pub(super) fn host(&mut self) -> Place {
        self.made += 1;
        let mut place = self.place.clone();
        place.directory = self.outer.path().join(format!("host-{}", self.made));
        place.environment.push(("COLONY_SDK_TOKEN_STORE".into(), self.url().into()));
        place
    }

    /// Returns a host with this store.
    pub(super) fn host_with(&mut self, url: &str) -> Place {
        let mut place = self.host();
        place.environment.push(("COLONY_SDK_TOKEN_STORE".into(), url.into()));
        place
    }

    pub(super) fn hosts(&mut self, count: usize) -> Vec<Place> {
        (0..count).map(|_| self.host()).collect()
    }

    /// Starts processes on these hosts, ready to call.
    pub(super) fn hire(hosts: &[Place], processes: usize, plan: &Plan) -> io::Result<Vec<Crew>> {
        let of = |number: usize| Plan { blocking: number % 2 == 1, ..plan.clone() };
        hosts.iter().map(|host| Crew::hire(host, processes, of)).collect()
    }

    /// Lets all of them call at the same moment, and returns their reports.
    pub(super) fn run(hosts: &[Place], processes: usize) -> io::Result<Vec<Report>> {
        let mut crews = Self::hire(hosts, processes, &Plan::default())?;
        go(&mut crews)?;
        reports(&mut crews)
    }

    pub(super) fn logins(&self) -> u64 {
        self.service.counts().logins
    }

    /// Returns a builder of clients for this process, on a host.
    pub(super) fn builder(&self, host: &Place) -> colony_async::Builder {
        colony_async::Client::builder(KEY)
            .base_url(self.service.base_url())
            .token_cache_dir(&host.directory)
            .token_store(self.url())
    }

    /// Returns whether a host has a token in its file.
    pub(super) fn has_file(host: &Place) -> bool {
        let files = std::fs::read_dir(&host.directory).into_iter().flatten().flatten();
        files.map(|entry| entry.path()).any(|path: PathBuf| path.extension().is_some_and(|it| it == "json"))
    }
}

pub(super) fn go(crews: &mut [Crew]) -> io::Result<()> {
    crews.iter_mut().try_for_each(Crew::go)
}

pub(super) fn reports(crews: &mut [Crew]) -> io::Result<Vec<Report>> {
    let all: io::Result<Vec<Vec<Report>>> = crews.iter_mut().map(Crew::reports).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// Counts the calls, each of which has to succeed; returns the tokens held.
pub(super) fn all_served(tally: &mut Tally, reports: &[Report]) -> Vec<String> {
    for report in reports {
        tally.check(report.failure.is_none(), || format!("{:?}", report.failure));
    }
    let mut held: Vec<String> = reports.iter().filter_map(|report| report.token.clone()).collect();
    held.sort();
    held.dedup();
    held
}

/// Returns the time within which 99 of 100 finished, in milliseconds.
pub(super) fn p99(reports: &[Report]) -> u64 {
    let mut times: Vec<u64> = reports.iter().map(|report| report.took_ms).collect();
    times.sort_unstable();
    times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}

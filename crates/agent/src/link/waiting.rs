//! Results that no server has acknowledged yet.

use agent_api::wire::ActionReport;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Final reports by action id, repeated until acknowledged.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    reports: BTreeMap<Vec<u8>, (ActionReport, Instant)>,
}

impl Waiting {
    /// An unacknowledged result is sent again after so long.
    const AGAIN: Duration = Duration::from_secs(5);

    /// Keeps `report` until it is acknowledged, if it is final.
    pub(super) fn keep(&mut self, report: &ActionReport, now: Instant) {
        let status = model::ActionStatus::from_word(&report.status);
        if report.refusal.is_empty() && status.is_some_and(model::ActionStatus::is_final) {
            self.reports
                .insert(report.action_id.clone(), (report.clone(), now));
        }
    }

    pub(super) fn acknowledged(&mut self, action_id: &[u8]) {
        self.reports.remove(action_id);
    }

    /// All of them, for the Hello of a new session.
    pub(super) fn all(&mut self, now: Instant) -> Vec<ActionReport> {
        self.reports
            .values_mut()
            .map(|(report, sent)| {
                *sent = now;
                report.clone()
            })
            .collect()
    }

    /// Those whose turn it is to be sent again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ActionReport> {
        let is_due = |sent: &Instant| now.duration_since(*sent) >= Self::AGAIN;
        let due = self.reports.values_mut().filter(|(_, sent)| is_due(sent));
        due.map(|(report, sent)| {
            *sent = now;
            report.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(status: &str) -> ActionReport {
        ActionReport {
            action_id: vec![1; 16],
            status: status.to_owned(),
            ..ActionReport::default()
        }
    }

    #[test]
    fn a_result_is_repeated_until_acknowledged() {
        let start = Instant::now();
        let mut waiting = Waiting::default();
        waiting.keep(&report("running"), start);
        assert_eq!(waiting.all(start), []);
        waiting.keep(&report("succeeded"), start);
        assert_eq!(waiting.due(start), []);
        for round in 1..4 {
            let now = start + Waiting::AGAIN * round;
            assert_eq!(waiting.due(now), [report("succeeded")]);
        }
        waiting.acknowledged(&[1; 16]);
        assert_eq!(waiting.due(start + Waiting::AGAIN * 9), []);
    }
}

//! What holds of the queue after every history of calls.

use super::*;
use crate::notify::failure::example;
use crate::tail::TailSource;
use proptest::prelude::*;
use std::collections::BTreeSet;

const LIMIT: Duration = Duration::from_secs(30);

/// Delivers nothing: the tests of the queue make no calls.
struct Idle {
    keeps_its_limit: bool,
}

impl Notifier for Idle {
    fn notify(&self, _: &Failure) -> Result<(), String> {
        Ok(())
    }

    fn keeps_its_limit(&self) -> bool {
        self.keeps_its_limit
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send {
        task: usize,
        to: usize,
    },
    Take,
    /// One of the calls that have not returned.
    Return(prop::sample::Index),
    Pass(Duration),
    AbandonAll,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_usize, 0..2_usize).prop_map(|(task, to)| Step::Send { task, to }),
        4 => Just(Step::Take),
        3 => any::<prop::sample::Index>().prop_map(Step::Return),
        1 => (0..40_u64).prop_map(|seconds| Step::Pass(Duration::from_secs(seconds))),
        1 => Just(Step::AbandonAll),
    ]
}

/// The queue, the calls under way, and what the laws need to know.
struct World {
    queue: Queue,
    recipients: [Recipient; 2],
    now: Instant,
    /// Task, recipient and deadline of calls that have not returned, abandoned ones included.
    calls: BTreeMap<CallId, (TaskId, usize)>,
    abandoned: BTreeSet<CallId>,
    sent: u64,
    reported: u64,
    last_started: BTreeMap<TaskId, u32>,
}

impl World {
    fn new() -> Self {
        let recipient = |keeps_its_limit| Recipient {
            name: "test".into(),
            notifier: Arc::new(Idle { keeps_its_limit }),
            limit: LIMIT,
        };
        Self {
            queue: Queue::default(),
            recipients: [recipient(true), recipient(false)],
            now: Instant::now(),
            calls: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            sent: 0,
            reported: 0,
            last_started: BTreeMap::new(),
        }
    }

    fn report(&mut self, done: &NotificationDone) {
        self.reported += done.failures;
    }

    fn send(&mut self, task: usize, to: usize) {
        self.sent += 1;
        // The attempt serves as a number in the order of sending.
        let failure = Failure { attempt: self.sent as u32, ..example() };
        let pending = PendingFailure { failure, stdout: TailSource::None, stderr: TailSource::None };
        self.queue.push(TaskId::new(task), self.recipients[to].clone(), pending);
    }

    fn take(&mut self) {
        match self.queue.next(7, self.now) {
            None => {}
            Some(Next::Refused(done, _)) => {
                assert!(self.abandoned.iter().any(|call| self.calls[call].1 == 1), "only while one hangs");
                self.report(&done);
                self.queue.release(done.task);
            }
            Some(Next::Call(job)) => {
                let record = &self.queue.calls[&job.call];
                let (task, to) = (record.task, usize::from(record.deadline.is_some()));
                let counted = |call: &CallId| !self.abandoned.contains(call);
                let busy = self.calls.iter().any(|(call, (other, _))| *other == task && counted(call));
                assert!(!busy, "one call of a task at a time");
                let attempt = job.pending.failure.attempt;
                assert!(
                    self.last_started.insert(task, attempt).is_none_or(|last| last < attempt),
                    "in order"
                );
                self.calls.insert(job.call, (task, to));
            }
        }
    }

    fn give_back(&mut self, choose: impl FnOnce(&[CallId]) -> CallId) {
        let calls: Vec<_> = self.calls.keys().copied().collect();
        if calls.is_empty() {
            return;
        }
        let call = choose(&calls);
        self.calls.remove(&call);
        match self.queue.returned(call) {
            Returned::InTime(record) => {
                assert!(!self.abandoned.contains(&call));
                self.report(&record.done(Ok(())));
                self.queue.release(record.task);
            }
            Returned::TooLate(_) => assert!(self.abandoned.remove(&call)),
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let before: BTreeSet<_> = self.queue.calls.keys().copied().collect();
        while let Some(Overdue { done, .. }) = self.queue.take_overdue(self.now) {
            assert_eq!(done.result, Err("took longer than 30s".to_owned()));
            self.report(&done);
            self.queue.release(done.task);
        }
        self.abandoned.extend(before.iter().filter(|call| !self.queue.calls.contains_key(call)));
        assert!(self.queue.next_deadline().is_none_or(|deadline| deadline > self.now));
    }

    fn abandon_all(&mut self) {
        let before: BTreeSet<_> = self.queue.calls.keys().copied().collect();
        let given_up = self.queue.abandon_all();
        given_up.done.iter().for_each(|done| self.report(done));
        self.abandoned.extend(before.iter().filter(|call| !self.queue.calls.contains_key(call)));
        assert_eq!(self.queue.ready(), 0);
        assert!(self.queue.calls.values().all(|record| record.deadline.is_none()));
    }

    fn check(&self) {
        let waiting =
            |line: &Line| line.waiting.iter().map(|(_, pending)| 1 + pending.failure.folded).sum::<u64>();
        let queued: u64 = self.queue.lines.values().map(waiting).sum();
        let under_way: u64 = self.queue.calls.values().map(|record| record.failures).sum();
        assert_eq!(self.sent, self.reported + queued + under_way, "every failure is reported once");
        assert!(self.queue.lines.values().all(|line| line.waiting.len() <= WAITING_LIMIT));
        let free = self.queue.lines.values().filter(|line| !line.busy).count();
        assert_eq!(free, self.queue.ready(), "who is not busy is ready");
        assert_eq!(self.queue.hanging.len(), self.abandoned.len());
    }
}

proptest! {
    #[test]
    fn the_rules_hold_in_every_history(steps in prop::collection::vec(step(), 0..200)) {
        let mut world = World::new();
        for step in &steps {
            match step {
                Step::Send { task, to } => world.send(*task, *to),
                Step::Take => world.take(),
                Step::Return(index) => world.give_back(|calls| *index.get(calls)),
                Step::Pass(time) => world.pass(*time),
                Step::AbandonAll => world.abandon_all(),
            }
            world.check();
        }
        // Whatever happened, it can all be brought to an end.
        while world.queue.ready() > 0 || !world.calls.is_empty() {
            world.take();
            world.give_back(|calls| calls[0]);
            world.check();
        }
        prop_assert!(world.queue.is_empty() && world.sent == world.reported);
    }
}

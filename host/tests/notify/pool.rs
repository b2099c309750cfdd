//! Order, folding, limits, panics and the end, with notifiers that do what the tests tell them.

use crate::support::{PATIENCE, Post, failure, pending, recipient, task};
use bansuri::notify::{Failure, Notifier, PendingFailure, WAITING_LIMIT};
use bansuri::tail::TailSource;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(3600);

/// Says what it was given, then waits for the answer to give back.
struct Obedient {
    calls: Sender<Failure>,
    answers: Receiver<Result<(), String>>,
}

impl Notifier for Obedient {
    fn notify(&self, failure: &Failure) -> Result<(), String> {
        let _ = self.calls.send(failure.clone());
        self.answers.recv().unwrap_or_else(|_| Err("the test is over".to_owned()))
    }
}

struct Ends {
    calls: Receiver<Failure>,
    answers: Sender<Result<(), String>>,
}

impl Ends {
    fn call(&self) -> Failure {
        self.calls.recv_timeout(PATIENCE).expect("the notifier is called")
    }
}

fn obedient() -> (Obedient, Ends) {
    let (calls, called) = unbounded();
    let (answer, answers) = unbounded();
    (Obedient { calls, answers }, Ends { calls: called, answers: answer })
}

/// Calls a function.
struct Does<F>(F);

impl<F: Fn(&Failure) -> Result<(), String> + Send + Sync> Notifier for Does<F> {
    fn notify(&self, failure: &Failure) -> Result<(), String> {
        (self.0)(failure)
    }
}

#[test]
fn messages_of_a_task_go_one_after_the_other_in_order() {
    let post = Post::new();
    let (notifier, ends) = obedient();
    let pager = recipient("pager", LONG, notifier);
    for attempt in 1..=5 {
        post.notifications.send(task(0), pager.clone(), pending("a", attempt));
    }
    for attempt in 1..=5 {
        assert_eq!(ends.call().attempt, attempt);
        assert!(ends.calls.is_empty(), "one at a time");
        ends.answers.send(if attempt == 3 { Err("no line".to_owned()) } else { Ok(()) }).unwrap();
        let done = post.next();
        assert_eq!((done.task, &*done.notifier, done.failures), (task(0), "pager", 1));
        assert_eq!(done.result, if attempt == 3 { Err("no line".to_owned()) } else { Ok(()) });
    }
    post.wait_until_idle();
}

#[test]
fn different_tasks_go_at_once_on_four_named_threads() {
    let post = Post::new();
    let (names, named) = unbounded();
    let (let_go, gate) = bounded::<()>(0);
    let pager = recipient(
        "pager",
        LONG,
        Does(move |_: &Failure| {
            names.send(std::thread::current().name().map(str::to_owned)).unwrap();
            let _ = gate.recv();
            Ok(())
        }),
    );
    for index in 0..6 {
        post.notifications.send(task(index), pager.clone(), pending("t", 1));
    }
    let mut seen: Vec<_> =
        (0..4).map(|_| named.recv_timeout(PATIENCE).unwrap().expect("the thread has a name")).collect();
    seen.sort();
    assert_eq!(seen, ["notify-1", "notify-2", "notify-3", "notify-4"]);
    assert!(named.is_empty() && !post.notifications.is_idle());
    drop(let_go);
    for _ in 0..6 {
        assert_eq!(post.next().result, Ok(()));
    }
    post.wait_until_idle();
}

#[test]
fn messages_beyond_the_limit_fold_into_the_last() {
    let post = Post::new();
    let (notifier, ends) = obedient();
    let pager = recipient("pager", LONG, notifier);
    post.notifications.send(task(0), pager.clone(), pending("a", 1));
    ends.call();
    let waiting = u32::try_from(WAITING_LIMIT).unwrap();
    for attempt in 2..=waiting + 1 + 5 {
        post.notifications.send(task(0), pager.clone(), pending("a", attempt));
    }
    // Another task's line is its own.
    post.notifications.send(task(1), pager.clone(), pending("b", 99));
    assert_eq!(ends.call().attempt, 99);
    for _ in 0..2 {
        ends.answers.send(Ok(())).unwrap();
    }
    let (mut failures, mut attempts, mut last) = (0, Vec::new(), None);
    for _ in 0..2 {
        failures += post.next().failures;
    }
    for _ in 0..waiting {
        let failure = ends.call();
        attempts.push(failure.attempt);
        last = Some(failure.folded);
        ends.answers.send(Ok(())).unwrap();
        failures += post.next().failures;
    }
    assert_eq!(attempts, (2..=waiting + 1).collect::<Vec<_>>());
    assert_eq!(last, Some(5));
    assert_eq!(failures, u64::from(waiting) + 2 + 5, "every failure is accounted for");
    post.wait_until_idle();
    assert!(ends.calls.is_empty());
}

#[test]
fn a_call_past_its_limit_is_abandoned_and_the_notifier_left_alone_until_it_returns() {
    let post = Post::new();
    let (notifier, ends) = obedient();
    let hung = recipient("hung", Duration::from_millis(50), notifier);
    post.notifications.send(task(0), hung.clone(), pending("a", 1));
    ends.call();
    assert_eq!(post.next().result, Err("took longer than 50ms".to_owned()));
    post.wait_until_idle();

    post.notifications.send(task(0), hung.clone(), pending("a", 2));
    post.notifications.send(task(1), hung.clone(), pending("b", 1));
    for _ in 0..2 {
        assert_eq!(post.next().result, Err("is still in a call that took longer than 50ms".to_owned()));
    }
    assert!(ends.calls.is_empty(), "no further call");

    // Others are served meanwhile, and the whole pool is there for them.
    let (let_go, gate) = bounded::<()>(0);
    let (entered, entries) = unbounded();
    let other = recipient(
        "other",
        LONG,
        Does(move |_: &Failure| {
            entered.send(()).unwrap();
            let _ = gate.recv();
            Ok(())
        }),
    );
    for index in 0..4 {
        post.notifications.send(task(index), other.clone(), pending("t", 1));
    }
    for _ in 0..4 {
        entries.recv_timeout(PATIENCE).expect("four at once");
    }
    drop(let_go);
    for _ in 0..4 {
        assert_eq!(post.next().result, Ok(()));
    }

    // Once it has returned it is called again; that the thread has noted its return can only be seen by that.
    ends.answers.send(Ok(())).unwrap();
    let mut attempt = 10;
    loop {
        attempt += 1;
        ends.answers.send(Ok(())).unwrap();
        post.notifications.send(task(0), hung.clone(), pending("a", attempt));
        let done = post.next();
        if done.result.is_ok() {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(ends.call().attempt, attempt);
}

#[test]
fn the_next_message_of_a_task_follows_an_abandoned_call() {
    let post = Post::new();
    let (notifier, ends) = obedient();
    let hung = recipient("hung", Duration::from_millis(50), notifier);
    let fine = recipient("fine", LONG, Does(|_: &Failure| Ok(())));
    post.notifications.send(task(0), hung, pending("a", 1));
    post.notifications.send(task(0), fine, pending("a", 2));
    ends.call();
    let names: Vec<_> =
        (0..2).map(|_| post.next()).map(|done| (done.notifier.to_string(), done.result)).collect();
    assert_eq!(names[0], ("hung".to_owned(), Err("took longer than 50ms".to_owned())));
    assert_eq!(names[1], ("fine".to_owned(), Ok(())));
}

#[test]
fn a_panic_is_a_failed_delivery_and_the_queue_goes_on() {
    let post = Post::new();
    let pager = recipient(
        "pager",
        LONG,
        Does(|failure: &Failure| match failure.attempt {
            1 => panic!("line {} is dead", 7),
            2 => std::panic::panic_any(17_u8),
            _ => Ok(()),
        }),
    );
    for attempt in 1..=6 {
        post.notifications.send(task(0), pager.clone(), pending("a", attempt));
    }
    assert_eq!(post.next().result, Err("panicked: line 7 is dead".to_owned()));
    assert_eq!(post.next().result, Err("panicked: no message".to_owned()));
    for _ in 3..=6 {
        assert_eq!(post.next().result, Ok(()));
    }
    post.wait_until_idle();
}

#[test]
fn tails_are_read_on_the_pool() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, "older|this run|newer").unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    let identity = (metadata.dev(), metadata.ino());
    let (notifier, ends) = obedient();
    let post = Post::new();
    let pending = PendingFailure {
        failure: failure("a"),
        stdout: TailSource::File { path, identity, start: 6, end: 14 },
        stderr: TailSource::Bytes(b"err".to_vec()),
    };
    post.notifications.send(task(0), recipient("pager", LONG, notifier), pending);
    let got = ends.call();
    assert_eq!((got.stdout.as_slice(), got.stderr.as_slice()), (&b"this run"[..], &b"err"[..]));
}

#[test]
fn the_end_drops_what_waits_and_reports_it() {
    let post = Post::new();
    let (notifier, ends) = obedient();
    let pager = recipient("pager", LONG, notifier);
    for attempt in 1..=3 {
        post.notifications.send(task(0), pager.clone(), pending("a", attempt));
    }
    ends.call();
    post.notifications.abandon();
    post.notifications.send(task(1), pager, pending("b", 1));
    let mut results: Vec<_> = (0..4).map(|_| post.next()).map(|done| (done.task, done.result)).collect();
    results.sort();
    let dropped = Err("dropped: the host is ending".to_owned());
    let abandoned = Err("abandoned: the host is ending".to_owned());
    assert_eq!(
        results,
        [(task(0), abandoned), (task(0), dropped.clone()), (task(0), dropped.clone()), (task(1), dropped)]
    );
    assert!(post.notifications.is_idle(), "an abandoned call does not count");
}

#[test]
fn dropping_joins_the_threads() {
    struct OnExit(Sender<()>);
    impl Drop for OnExit {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    thread_local!(static KEPT: std::cell::RefCell<Option<OnExit>> = const { std::cell::RefCell::new(None) });

    let post = Post::new();
    let (gone, ended) = unbounded();
    let pager = recipient(
        "pager",
        LONG,
        Does(move |_: &Failure| {
            KEPT.with(|kept| *kept.borrow_mut() = Some(OnExit(gone.clone())));
            Ok(())
        }),
    );
    post.notifications.send(task(0), pager, pending("a", 1));
    assert_eq!(post.next().result, Ok(()));
    assert!(ended.is_empty());
    drop(post);
    assert!(!ended.is_empty(), "the thread has ended before drop returned");
}

#[test]
fn results_nobody_takes_hold_the_threads_but_not_the_caller() {
    let post = Post::new();
    let fine = recipient("fine", LONG, Does(|_: &Failure| Ok(())));
    for index in 0..3000 {
        post.notifications.send(task(index), fine.clone(), pending("t", 1));
    }
    let mut count = 0;
    while count < 3000 {
        assert_eq!(post.next().result, Ok(()));
        count += 1;
    }
    post.wait_until_idle();
}

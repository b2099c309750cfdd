//! Questions to file systems, asked aside: one that hangs holds up neither the others nor the run.

use crate::room::{Room, room};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

/// What a run waits for.
#[derive(Debug)]
pub(crate) enum News {
    /// What was found out about a path.
    Answer(PathBuf, Result<Room, String>),
    Stop,
}

/// Who waits for an answer about a path. A thread that asks a file system that hangs cannot be broken off: so that there
/// is never more than one for a path, runs that ask while it waits get its answer too.
static ASKED: Mutex<BTreeMap<PathBuf, Vec<Weak<Sender<News>>>>> = Mutex::new(BTreeMap::new());

/// Asks how much room there is. The answer comes as long as `asker` lives.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn ask(path: &Path, asker: &Arc<Sender<News>>) -> io::Result<()> {
    ask_by(room, path, asker)
}

fn ask_by(
    how: impl FnOnce(&Path) -> io::Result<Room> + Send + 'static,
    path: &Path,
    asker: &Arc<Sender<News>>,
) -> io::Result<()> {
    let mut asked = asked();
    if let Some(waiting) = asked.get_mut(path) {
        // Runs that have ended since.
        waiting.retain(|waiting| waiting.strong_count() > 0);
        waiting.push(Arc::downgrade(asker));
        return Ok(());
    }
    let owned = path.to_owned();
    thread::Builder::new().name("disk-space".to_owned()).spawn(move || {
        let answer = how(&owned).map_err(|error| error.to_string());
        let waiting = self::asked().remove(&owned).unwrap_or_default();
        for asker in waiting.iter().filter_map(Weak::upgrade) {
            // A run that ends just now no longer listens.
            let _ = asker.send(News::Answer(owned.clone(), answer.clone()));
        }
    })?;
    asked.insert(path.to_owned(), vec![Arc::downgrade(asker)]);
    Ok(())
}

fn asked() -> MutexGuard<'static, BTreeMap<PathBuf, Vec<Weak<Sender<News>>>>> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    const ROOM: Room = Room { bytes: 4, free_bytes: 3, inodes: 2, free_inodes: 1 };

    fn answer(news: &Receiver<News>) -> (PathBuf, Result<Room, String>) {
        match news.recv_timeout(Duration::from_secs(60)).expect("an answer comes") {
            News::Answer(path, answer) => (path, answer),
            News::Stop => panic!("nobody stops"),
        }
    }

    #[test]
    fn one_question_at_a_time_answers_all_who_ask() {
        let path = Path::new("/a file system that hangs");
        let (release, released) = channel::<()>();
        let (first, first_news) = channel();
        let (gone, _) = channel();
        let (second, second_news) = channel();
        let (first, gone, second) = (Arc::new(first), Arc::new(gone), Arc::new(second));
        let hang = move |_: &Path| {
            released.recv().map_err(io::Error::other)?;
            Ok(ROOM)
        };
        ask_by(hang, path, &first).unwrap();
        ask_by(|_| panic!("asked twice"), path, &gone).unwrap();
        drop(gone);
        ask_by(|_| panic!("asked twice"), path, &second).unwrap();
        assert_eq!(asked()[path].len(), 2, "who is gone waits no more");
        release.send(()).unwrap();
        for news in [first_news, second_news] {
            assert_eq!(answer(&news), (path.to_owned(), Ok(ROOM)));
        }
        assert!(!asked().contains_key(path));
    }

    #[test]
    fn an_error_is_an_answer() {
        let (sender, news) = channel();
        let asker = Arc::new(sender);
        ask(Path::new("/is not there"), &asker).unwrap();
        assert_eq!(answer(&news).1, Err("No such file or directory (os error 2)".to_owned()));
    }
}

//! Password hashing on threads of its own, at the lowest priority, each with its memory: a flood of sign-ins takes nothing from
//! proxied traffic and no more memory than was set aside at start (reference figures: eight sign-ins at once on a shared pool took 93 % of the
//! throughput and 1.6 GB). A full queue is an answer, not a wait. Implements `PasswordVerifier` for the accounts kept here. Floor: edge.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::domain::password::Password;
use crate::domain::password_hash::{Argon2Settings, HashMemory, PasswordHash};
use crate::domain::user_name::UserName;
use crate::login::ports::{PasswordVerdict, PasswordVerifier, PortError, PortResult};
use crate::metrics;

/// The threads and the queue in front of them. They end when this is dropped.
pub struct HashingThreads {
    queue: SyncSender<(Job, Waits)>,
    settings: Argon2Settings,
    longest_wait: Duration,
    /// What is compared with for a name that does not exist: the same work as for one that does.
    nobody: PasswordHash,
}

/// How many threads hash and how many sign-ins wait for them.
#[derive(Debug, Clone, Copy)]
pub struct HashingLimits {
    /// All cores but one, at least one (security C6).
    pub threads: usize,
    /// Sign-ins that wait for a thread; the next is answered "busy" at once.
    pub queue: usize,
    /// A sign-in that no thread has taken up by then is answered "busy".
    pub longest_wait: Duration,
}

impl Default for HashingLimits {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        HashingLimits { threads: cores.saturating_sub(1).max(1), queue: 64, longest_wait: Duration::from_secs(2) }
    }
}

/// Why there was no answer from a thread.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("too much is being hashed")]
    Busy,
    #[error("the hashing thread gave up")]
    Failed,
}

/// Runs on a thread; whoever sets `taken` first decides whether it runs at all.
struct Job {
    work: Box<dyn FnOnce(&mut HashMemory) + Send>,
    taken: Arc<AtomicBool>,
}

/// Counted among those that wait, until it is dropped.
struct Waits;

impl HashingThreads {
    /// Starts the threads. Takes as long as one hash.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(settings: Argon2Settings, limits: HashingLimits) -> std::io::Result<HashingThreads> {
        let (queue, jobs) = mpsc::sync_channel(limits.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..limits.threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("hashing-{number}"))
                .spawn(move || work_off(&jobs, HashMemory::new(&settings)))?;
        }
        let nobody = PasswordHash::of(&Password::generate(), &settings, &mut HashMemory::new(&settings));
        Ok(HashingThreads { queue, settings, longest_wait: limits.longest_wait, nobody })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMemory) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (reply, mut answer) = oneshot::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let job = Job {
            work: Box::new(move |memory| {
                // nobody listens when the sign-in was given up
                let _ = reply.send(work(memory));
            }),
            taken: Arc::clone(&taken),
        };
        let waits = Waits::begin();
        self.queue.try_send((job, waits)).map_err(|error| match error {
            TrySendError::Full(_) => busy(),
            TrySendError::Disconnected(_) => NoAnswer::Failed,
        })?;
        if let Ok(answered) = tokio::time::timeout(self.longest_wait, &mut answer).await {
            return answered.map_err(|_| NoAnswer::Failed);
        }
        if !taken.swap(true, Ordering::AcqRel) {
            return Err(busy());
        }
        // a thread is at it: the rest takes no longer than one hash
        answer.await.map_err(|_| NoAnswer::Failed)
    }
}

fn busy() -> NoAnswer {
    metrics::all().hashing_refused.inc();
    NoAnswer::Busy
}

impl Waits {
    fn begin() -> Self {
        metrics::all().hashing_waiting.inc();
        Self
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        metrics::all().hashing_waiting.dec();
    }
}

/// A thread's life: one job after the other until the queue is gone.
fn work_off(jobs: &Mutex<Receiver<(Job, Waits)>>, mut memory: HashMemory) {
    // only ever lowered; where it is not allowed, hashing still works
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19) {
        tracing::warn!(%error, "password hashing runs at normal priority: sign-ins will slow proxied traffic down");
    }
    loop {
        // one thread waits for a job, the others for the lock: the same to those who queue
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((job, waits)) = job else {
            return;
        };
        drop(waits);
        if job.taken.swap(true, Ordering::AcqRel) {
            continue;
        }
        // a fault in some foreign form must not take the thread with it; whoever waits sees the reply dropped
        if panic::catch_unwind(AssertUnwindSafe(|| (job.work)(&mut memory))).is_err() {
            tracing::error!("a password could not be hashed: the computation panicked");
        }
    }
}

#[async_trait]
impl PasswordVerifier for HashingThreads {
    async fn verify(
        &self,
        _user_name: Option<&UserName>,
        stored: Option<&PasswordHash>,
        password: &Password,
    ) -> PortResult<PasswordVerdict> {
        let exists = stored.is_some();
        let hash = stored.unwrap_or(&self.nobody).clone();
        let (settings, password) = (self.settings, password.clone());
        let answer = self
            .run(move |memory| {
                let is_right = hash.verify(&password, memory) && exists;
                is_right.then(|| hash.needs_rehash(&settings).then(|| PasswordHash::of(&password, &settings, memory)))
            })
            .await;
        match answer {
            Ok(Some(rehash)) => Ok(PasswordVerdict::Right { rehash }),
            Ok(None) => Ok(PasswordVerdict::Wrong),
            Err(NoAnswer::Busy) => Ok(PasswordVerdict::Busy),
            Err(NoAnswer::Failed) => Err(PortError::new("hashing", NoAnswer::Failed)),
        }
    }

    async fn hash(&self, password: &Password) -> PortResult<PasswordHash> {
        let (settings, password) = (self.settings, password.clone());
        self.run(move |memory| PasswordHash::of(&password, &settings, memory))
            .await
            .map_err(|no_answer| PortError::new("hashing", no_answer))
    }
}

impl fmt::Debug for HashingThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingThreads").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::password_hash::CostCap;
    use futures_util::FutureExt as _;

    fn limits(queue: usize, longest_wait: Duration) -> HashingLimits {
        HashingLimits { threads: 1, queue, longest_wait }
    }

    fn one_thread() -> HashingThreads {
        HashingThreads::start(Argon2Settings::default(), limits(8, Duration::from_secs(60))).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    /// Keeps the only thread busy until the sender is dropped.
    async fn occupy(threads: &Arc<HashingThreads>) -> mpsc::Sender<()> {
        let (release, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let busy = Arc::clone(threads);
        tokio::spawn(async move {
            busy.run(move |_| {
                begun.send(()).unwrap();
                let _ = wait.recv();
            })
            .await
        });
        has_begun.await.unwrap();
        release
    }

    #[tokio::test]
    async fn a_right_password_is_right_and_an_old_hash_comes_back_anew() {
        let threads = one_thread();
        let kept = threads.hash(&typed("tr0ub4dor & three")).await.unwrap();
        let verify =
            async |stored: Option<&PasswordHash>, text| threads.verify(None, stored, &typed(text)).await.unwrap();
        assert!(matches!(verify(Some(&kept), "tr0ub4dor & three").await, PasswordVerdict::Right { rehash: None }));
        assert!(matches!(verify(Some(&kept), "tr0ub4dor & four").await, PasswordVerdict::Wrong));
        assert!(matches!(verify(None, "tr0ub4dor & three").await, PasswordVerdict::Wrong));
        let foreign = "$2y$05$abcdefghijklmnopqrstuucIt5AlV2lPRHbSVNGRRcy/oatNcgHK.";
        let foreign = PasswordHash::parse(foreign, &CostCap::default()).unwrap();
        let PasswordVerdict::Right { rehash: Some(rehash) } = verify(Some(&foreign), "correct horse é battery").await
        else {
            panic!("right, to be hashed again");
        };
        assert_eq!(rehash.form_name(), "argon2id");
        assert!(matches!(
            verify(Some(&rehash), "correct horse é battery").await,
            PasswordVerdict::Right { rehash: None }
        ));
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_at_once() {
        let threads = HashingThreads::start(Argon2Settings::default(), limits(1, Duration::from_secs(3600))).unwrap();
        let threads = Arc::new(threads);
        let release = occupy(&threads).await;
        let waiting = Arc::clone(&threads);
        let mut waiting = Box::pin(async move { waiting.verify(None, None, &typed("one that waits")).await });
        // one poll puts it into the queue
        assert!((&mut waiting).now_or_never().is_none());
        let answer = threads.verify(None, None, &typed("one too many")).await.unwrap();
        assert!(matches!(answer, PasswordVerdict::Busy));
        assert!(threads.hash(&typed("one too many")).await.is_err());
        drop(release);
        assert!(matches!(waiting.await.unwrap(), PasswordVerdict::Wrong));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_busy_and_costs_nothing_afterwards() {
        let threads = HashingThreads::start(Argon2Settings::default(), limits(8, Duration::from_millis(20))).unwrap();
        let threads = Arc::new(threads);
        let release = occupy(&threads).await;
        let ran = Arc::new(AtomicBool::new(false));
        let runs = Arc::clone(&ran);
        let answer = threads.run(move |_| runs.store(true, Ordering::SeqCst)).await;
        assert!(matches!(answer, Err(NoAnswer::Busy)));
        drop(release);
        // the queue is in order: when this has run, the one before it would have
        while threads.run(|_| ()).await.is_err() {}
        assert!(!ran.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let threads = one_thread();
        let answer = threads.run(|_| panic!("on purpose")).await;
        assert!(matches!(answer, Err::<(), _>(NoAnswer::Failed)));
        assert!(threads.run(|_| ()).await.is_ok());
    }

    #[tokio::test]
    async fn memory_is_reused_and_the_thread_gives_way() {
        let threads = one_thread();
        let mut addresses = Vec::new();
        for _ in 0..3 {
            addresses.push(threads.run(|memory| memory.address()).await.unwrap());
            let _ = threads.hash(&typed("some password")).await.unwrap();
        }
        assert!(addresses.iter().all(|a| *a == addresses[0]), "{addresses:?}");
        let nice = threads.run(|_| rustix::process::getpriority_process(Some(rustix::thread::gettid()))).await.unwrap();
        assert_eq!(nice, Ok(19));
        let own = rustix::process::getpriority_process(None).unwrap();
        assert!(own < 19, "only the hashing threads give way");
    }
}

//! What each kind of note comes to, over a database and a place of the tests' own. Floor: login.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::domain::revocation::FeedRow;
use crate::domain::secret::SecretBytes;
use crate::login::ports::PortError;

const NOW: UnixMillis = UnixMillis(1_000_000);

#[derive(Debug, Default)]
struct FakeDatabase {
    head: AtomicI64,
    ended: Mutex<Vec<String>>,
}

#[async_trait]
impl RevocationFeed for FakeDatabase {
    async fn head(&self) -> PortResult<i64> {
        Ok(self.head.load(Ordering::SeqCst))
    }

    async fn rows_after(&self, _number: i64, _now: UnixMillis) -> PortResult<Vec<FeedRow>> {
        Ok(Vec::new())
    }

    async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
        Ok(None)
    }
}

#[async_trait]
impl MarkedDatabase for FakeDatabase {
    async fn installation(&self) -> PortResult<Installation> {
        Ok(Installation { id: "aa".to_owned(), is_new: false })
    }

    async fn end_all_of_older_copy(&self, marker: i64, audit: &AuditRecord) -> PortResult<bool> {
        self.head.store(marker + 1, Ordering::SeqCst);
        self.ended.lock().unwrap().push(audit.reason.clone().unwrap());
        Ok(true)
    }
}

#[derive(Debug, Default)]
struct FakePlace {
    note: Mutex<Option<Vec<u8>>>,
    is_down: AtomicBool,
}

#[async_trait]
impl MarkerPlace for FakePlace {
    fn name(&self) -> String {
        "a drawer".to_owned()
    }

    async fn read(&self, _installation: &str) -> PortResult<Option<Vec<u8>>> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(PortError::new("drawer", "stuck"));
        }
        Ok(self.note.lock().unwrap().clone())
    }

    async fn write(&self, _installation: &str, marker: &[u8]) -> PortResult<()> {
        *self.note.lock().unwrap() = Some(marker.to_vec());
        Ok(())
    }
}

struct Rig {
    database: Arc<FakeDatabase>,
    place: Arc<FakePlace>,
    markers: Markers,
}

async fn rig(head: i64) -> Rig {
    let database = Arc::new(FakeDatabase { head: AtomicI64::new(head), ..FakeDatabase::default() });
    let place = Arc::new(FakePlace::default());
    let markers =
        Markers::new(Arc::clone(&database) as _, vec![Arc::clone(&place) as _], Arc::new(keys(&[1]))).await.unwrap();
    Rig { database, place, markers }
}

fn keys(seeds: &[u8]) -> Keys {
    Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
}

impl Rig {
    fn ended(&self) -> usize {
        self.database.ended.lock().unwrap().len()
    }

    fn noted(&self, keys: &Keys) -> Option<Marker> {
        let note = self.place.note.lock().unwrap().clone();
        note.map(|note| self.markers.read(&note, keys))
    }
}

#[tokio::test]
async fn a_note_ahead_of_the_database_ends_everything_once() {
    let rig = rig(9).await;
    rig.markers.keep(9, NOW).await.unwrap();
    assert_eq!((rig.ended(), rig.noted(&keys(&[1]))), (0, Some(Marker::At(9))));
    rig.database.head.store(4, Ordering::SeqCst);
    rig.markers.keep(4, NOW).await.unwrap();
    assert_eq!(*rig.database.ended.lock().unwrap(), ["a drawer has change 9, the database only 4"]);
    assert_eq!(rig.noted(&keys(&[1])), Some(Marker::At(10)));
    rig.markers.keep(10, NOW).await.unwrap();
    rig.markers.keep(10, NOW.plus(LOOK_AGAIN)).await.unwrap();
    assert_eq!(rig.ended(), 1);
}

#[tokio::test]
async fn what_another_node_noted_meanwhile_is_no_older_copy() {
    let rig = rig(9).await;
    rig.markers.keep(9, NOW).await.unwrap();
    // this node has read up to 7 so far
    rig.markers.keep(7, NOW).await.unwrap();
    assert_eq!((rig.ended(), rig.noted(&keys(&[1]))), (0, Some(Marker::At(9))));
}

#[tokio::test]
async fn notes_that_are_gone_of_others_or_made_by_others_end_nothing_and_are_written_again() {
    let ours = rig(9).await;
    let sealed = |id: &str, keys: &Keys| {
        let sealed = keys.seal(SealPurpose::Marker, id.as_bytes(), b"99");
        format!("v1 {id} {}", URL_SAFE_NO_PAD.encode(sealed)).into_bytes()
    };
    let of_another = sealed("bb", &keys(&[1]));
    let renamed = String::from_utf8(of_another.clone()).unwrap().replace("bb", "aa").into_bytes();
    let forged = sealed("aa", &keys(&[2]));
    let damaged = sealed("aa", &keys(&[1]))[..40].to_vec();
    for note in
        [None, Some(of_another), Some(renamed), Some(forged), Some(damaged), Some(b"99".to_vec()), Some(Vec::new())]
    {
        *ours.place.note.lock().unwrap() = note.clone();
        ours.markers.keep(9, NOW.plus(LOOK_AGAIN)).await.unwrap();
        let again = rig(9).await;
        *again.place.note.lock().unwrap() = note;
        again.markers.keep(9, NOW).await.unwrap();
        assert_eq!((again.ended(), again.noted(&keys(&[1]))), (0, Some(Marker::At(9))));
        assert!(!again.markers.check(NOW).await.unwrap());
    }
    assert_eq!(ours.ended(), 0);
    // and one of our own is taken for one
    *ours.place.note.lock().unwrap() = Some(sealed("aa", &keys(&[1])));
    assert!(ours.markers.check(NOW).await.unwrap());
}

#[tokio::test]
async fn a_place_that_is_down_is_asked_again_before_it_is_written_to() {
    let rig = rig(9).await;
    rig.markers.keep(9, NOW).await.unwrap();
    rig.database.head.store(4, Ordering::SeqCst);
    rig.place.is_down.store(true, Ordering::SeqCst);
    rig.markers.keep(4, NOW).await.unwrap();
    assert_eq!(rig.ended(), 0);
    rig.place.is_down.store(false, Ordering::SeqCst);
    rig.markers.keep(4, NOW).await.unwrap();
    assert_eq!(rig.ended(), 1);
}

#[tokio::test]
async fn a_note_is_sealed_anew_with_a_new_first_key() {
    let rig = rig(9).await;
    rig.markers.keep(9, NOW).await.unwrap();
    rig.markers.replace_keys(Arc::new(keys(&[2, 1])));
    rig.markers.keep(9, NOW).await.unwrap();
    assert_eq!((rig.ended(), rig.noted(&keys(&[2]))), (0, Some(Marker::At(9))));
}

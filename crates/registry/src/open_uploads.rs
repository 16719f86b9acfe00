//! Counts open uploads by principal and by repository, so that no client can fill the disk
//! with empty files or block the pushes of others.
//!
//! A principal's uploads are bounded, so a client that leaves its uploads behind uses up its
//! own share. A repository's are bounded too, as a backstop against many principals: there,
//! room is made at the expense of the principal that holds the most. An upload that nobody
//! wrote to for [`IDLE_SECONDS`] makes room in either case.
//!
//! Starting an upload costs no transaction, so the count is in memory: exact for what this
//! node does, and corrected by each sweep, which sees the files of all nodes. The owner of an
//! upload is known if this process started it or if it has a row (from 16 MiB on). Another
//! node's smaller upload, or one from before a restart, counts for its repository alone.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blobs::UploadId;

use crate::{Authorized, upload_id};

/// Uploads that are this young stay counted when a sweep saw no file: it may have looked
/// before the file was made.
const YOUNG_SECONDS: i64 = 60;
/// An upload without a write for longer than this may be evicted when room is needed.
/// Clients go on with an upload within seconds, or after a broken connection within minutes.
const IDLE_SECONDS: i64 = 3_600;

/// Whose uploads count together: a user, or a role whatever its sessions are called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner(Arc<str>);

impl Owner {
    pub(crate) fn of(cx: &Authorized) -> Owner {
        let arn = &cx.caller.arn;
        let session = arn
            .split_once(":assumed-role/")
            .and_then(|(_, resource)| resource.split_once('/'))
            .map(|(_, session)| session.len() + 1);
        match session {
            Some(length) => Owner(arn[..arn.len() - length].into()),
            None => Owner(Arc::clone(arn)),
        }
    }

    /// The owner that a row names.
    pub(crate) fn stored(text: &str) -> Owner {
        Owner(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the database says of an upload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) owner: Option<Owner>,
    /// The second since the epoch of a write, by whichever node. There may be later ones.
    pub(crate) written: i64,
}

/// Bounds of the numbers of open uploads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) of_principal: u64,
    pub(crate) of_repository: u64,
}

/// Room for a new upload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is room. The upload in it was evicted for it; its file is to be removed.
    Made(Option<UploadId>),
    /// The principal has too many open uploads, all in use.
    PrincipalFull,
    /// The repository has too many open uploads, and no other principal has more of them.
    RepositoryFull,
}

struct Open {
    owner: Option<Owner>,
    /// The last write's second since the epoch.
    written: i64,
    /// Requests that are writing now.
    writers: u32,
}

#[derive(Default)]
struct Count {
    uploads: HashMap<UploadId, Open>,
    of_owner: HashMap<Owner, HashSet<UploadId>>,
    of_repository: HashMap<i64, HashSet<UploadId>>,
}

impl Count {
    fn insert(&mut self, id: UploadId, open: Open) {
        if let Some(owner) = &open.owner {
            self.of_owner.entry(owner.clone()).or_default().insert(id);
        }
        let repository = upload_id::repository(&id);
        self.of_repository.entry(repository).or_default().insert(id);
        self.uploads.insert(id, open);
    }

    /// Counts an upload that this process did not start, or learns whose it is.
    fn adopt(&mut self, id: UploadId, kept: Kept) {
        let (owner, written, writers) = match self.uploads.get(&id) {
            Some(open) => (open.owner.clone(), open.written, open.writers),
            None => (None, upload_id::started_second(&id), 0),
        };
        self.remove(&id);
        let open = Open {
            owner: owner.or(kept.owner),
            written: written.max(kept.written),
            writers,
        };
        self.insert(id, open);
    }

    fn remove(&mut self, id: &UploadId) {
        let Some(open) = self.uploads.remove(id) else {
            return;
        };
        let repository = upload_id::repository(id);
        take(&mut self.of_repository, &repository, id);
        if let Some(owner) = &open.owner {
            take(&mut self.of_owner, owner, id);
        }
    }

    /// Of these, the upload with the oldest last write that no request is writing to.
    fn idlest<'a>(&self, ids: impl IntoIterator<Item = &'a UploadId>) -> Option<(i64, UploadId)> {
        let open = ids.into_iter().filter_map(|id| {
            let open = self.uploads.get(id)?;
            (open.writers == 0).then_some((open.written, *id))
        });
        open.min_by_key(|(written, id)| (*written, *id.as_bytes()))
    }

    fn idle<'a>(&self, ids: impl IntoIterator<Item = &'a UploadId>, now: i64) -> Option<UploadId> {
        let (written, id) = self.idlest(ids)?;
        (now - written > IDLE_SECONDS).then_some(id)
    }

    /// An upload of the principal that holds the most of these, unless that is `asking`.
    fn of_heaviest(&self, ids: &HashSet<UploadId>, asking: &Owner) -> Option<UploadId> {
        let mut held: HashMap<Option<&Owner>, Vec<&UploadId>> = HashMap::new();
        for id in ids {
            let owner = self.uploads.get(id).and_then(|open| open.owner.as_ref());
            held.entry(owner).or_default().push(id);
        }
        let asking_holds = held.get(&Some(asking)).map_or(0, Vec::len);
        let (_, heaviest) = held.into_iter().max_by_key(|(_, ids)| ids.len())?;
        if heaviest.len() <= asking_holds + 1 {
            return None;
        }
        self.idlest(heaviest).map(|(_, id)| id)
    }
}

fn take<K: Eq + std::hash::Hash>(map: &mut HashMap<K, HashSet<UploadId>>, key: &K, id: &UploadId) {
    if let Some(ids) = map.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}

/// The open uploads: some hundred bytes each, as many as there are files.
#[derive(Default)]
pub(crate) struct OpenUploads(Mutex<Count>);

/// While this lives, an upload is being written to and is not evicted.
pub(crate) struct Writing<'a> {
    uploads: &'a OpenUploads,
    id: UploadId,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.uploads.lock().uploads.get_mut(&self.id) {
            open.writers = open.writers.saturating_sub(1);
        }
    }
}

impl OpenUploads {
    /// Counts a new upload, if there is room or some can be made.
    pub(crate) fn open(&self, id: UploadId, owner: &Owner, now_ms: i64, bounds: Bounds) -> Room {
        let now = now_ms / 1000;
        let mut count = self.lock();
        let none = HashSet::new();
        let own = count.of_owner.get(owner).unwrap_or(&none);
        let repository = upload_id::repository(&id);
        let beside = count.of_repository.get(&repository).unwrap_or(&none);
        let evicted = if own.len() as u64 >= bounds.of_principal {
            match count.idle(own, now) {
                None => return Room::PrincipalFull,
                idle => idle,
            }
        } else if beside.len() as u64 >= bounds.of_repository {
            let idle = count.idle(beside, now);
            match idle.or_else(|| count.of_heaviest(beside, owner)) {
                None => return Room::RepositoryFull,
                evicted => evicted,
            }
        } else {
            None
        };
        if let Some(evicted) = &evicted {
            count.remove(evicted);
        }
        let open = Open {
            owner: Some(owner.clone()),
            written: now,
            writers: 0,
        };
        count.insert(id, open);
        Room::Made(evicted)
    }

    /// Notes that a request writes to the upload, until the answer is dropped.
    pub(crate) fn writing(&self, id: &UploadId, now_ms: i64) -> Writing<'_> {
        if let Some(open) = self.lock().uploads.get_mut(id) {
            open.writers += 1;
            open.written = open.written.max(now_ms / 1000);
        }
        Writing {
            uploads: self,
            id: *id,
        }
    }

    pub(crate) fn close(&self, id: &UploadId) {
        self.lock().remove(id);
    }

    /// The principal whose upload this is, where it is known.
    pub(crate) fn owner(&self, id: &UploadId) -> Option<Owner> {
        self.lock().uploads.get(id)?.owner.clone()
    }

    /// Counts an upload of another node for its principal.
    pub(crate) fn adopt(&self, id: UploadId, owner: Owner) {
        let owner = Some(owner);
        self.lock().adopt(id, Kept { owner, written: 0 });
    }

    /// Corrects the count: the uploads that have files, and those that just began. `kept` is what the
    /// database knows of them.
    pub(crate) fn renew(
        &self,
        with_files: Vec<UploadId>,
        kept: &HashMap<UploadId, Kept>,
        now_ms: i64,
    ) {
        let since = now_ms / 1000 - YOUNG_SECONDS;
        let with_files: HashSet<UploadId> = with_files.into_iter().collect();
        let mut count = self.lock();
        let stays =
            |id: &UploadId| with_files.contains(id) || upload_id::started_second(id) >= since;
        let gone = count.uploads.keys().filter(|id| !stays(id)).copied();
        for id in gone.collect::<Vec<_>>() {
            count.remove(&id);
        }
        for id in with_files {
            count.adopt(id, kept.get(&id).cloned().unwrap_or_default());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        // Sound at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::{Entropy, EntropyError};

    const BOUNDS: Bounds = Bounds {
        of_principal: 3,
        of_repository: 5,
    };
    const HOUR_MS: i64 = 3_600_000;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    fn id(repository: i64, n: u8) -> UploadId {
        upload_id::make(repository, 0, &Fixed(n)).unwrap()
    }

    fn owner(name: &str) -> Owner {
        Owner(name.into())
    }

    #[test]
    fn counts_sessions_of_one_role_together() {
        let owner = |arn: &str| {
            let context = authz::testing::context(authz::testing::caller(arn, None));
            Owner::of(&authz::testing::authorized(context))
        };
        let session = |name| owner(&format!("arn:aws:sts::123456789012:assumed-role/ci/{name}"));
        assert_eq!(session("job1"), session("job2"));
        let user = |name| owner(&format!("arn:aws:iam::123456789012:user/team/{name}"));
        assert_ne!(user("alice"), user("bob"));
    }

    #[test]
    fn one_principal_fills_its_own_share_only() {
        let uploads = OpenUploads::default();
        for n in 0..3 {
            let room = uploads.open(id(1, n), &owner("eve"), 0, BOUNDS);
            assert_eq!(room, Room::Made(None));
        }
        // In whatever repository.
        let room = uploads.open(id(2, 9), &owner("eve"), 0, BOUNDS);
        assert_eq!(room, Room::PrincipalFull);
        assert_eq!(
            uploads.open(id(1, 4), &owner("alice"), 0, BOUNDS),
            Room::Made(None)
        );
    }

    #[test]
    fn many_principals_do_not_lock_out_another() {
        let uploads = OpenUploads::default();
        for (name, ids) in [("eve", 0..3), ("mallory", 3..5)] {
            for n in ids {
                uploads.open(id(1, n), &owner(name), i64::from(n) * 1000, BOUNDS);
            }
        }
        // Eve holds the most: her oldest upload makes room, but not the one in use.
        let writing = uploads.writing(&id(1, 0), 0);
        let room = uploads.open(id(1, 5), &owner("alice"), 9_000, BOUNDS);
        assert_eq!(room, Room::Made(Some(id(1, 1))));
        drop(writing);
        // A principal that holds no more than the others is not evicted.
        let room = uploads.open(id(1, 6), &owner("alice"), 9_000, BOUNDS);
        assert_eq!(room, Room::RepositoryFull);
    }

    #[test]
    fn an_idle_upload_makes_room() {
        let uploads = OpenUploads::default();
        for n in 0..3 {
            uploads.open(id(1, n), &owner("ci"), 0, BOUNDS);
        }
        drop(uploads.writing(&id(1, 0), HOUR_MS));
        let room = uploads.open(id(1, 3), &owner("ci"), HOUR_MS + 1_000, BOUNDS);
        assert!(matches!(room, Room::Made(Some(evicted)) if evicted != id(1, 0)));
    }

    #[test]
    fn a_sweep_keeps_what_has_a_file() {
        let uploads = OpenUploads::default();
        for n in 0..3 {
            uploads.open(id(1, n), &owner("ci"), 0, BOUNDS);
        }
        uploads.renew(vec![id(1, 0), id(1, 7), id(1, 8)], &HashMap::new(), HOUR_MS);
        // One of its own is left; the two that were not started here count for the repository.
        for n in [20, 21] {
            let room = uploads.open(id(1, n), &owner("ci"), 0, BOUNDS);
            assert_eq!(room, Room::Made(None));
        }
        assert_eq!(
            uploads.open(id(1, 22), &owner("ci"), 0, BOUNDS),
            Room::PrincipalFull
        );
        let room = uploads.open(id(1, 23), &owner("alice"), 0, BOUNDS);
        assert!(matches!(room, Room::Made(Some(_))));
    }

    #[test]
    fn uploads_of_other_nodes_count_for_their_owner_once_it_is_known() {
        let uploads = OpenUploads::default();
        let files: Vec<UploadId> = (0..3).map(|n| id(1, n)).collect();
        uploads.renew(files.clone(), &HashMap::new(), 0);
        assert_eq!(
            uploads.open(id(2, 10), &owner("ci"), 0, BOUNDS),
            Room::Made(None)
        );
        // A request goes on with one; the sweep learns of the others.
        uploads.adopt(files[0], owner("ci"));
        let of_ci = |written| Kept {
            owner: Some(owner("ci")),
            written,
        };
        let kept = files.iter().map(|id| (*id, of_ci(0))).collect();
        uploads.renew([files.clone(), vec![id(2, 10)]].concat(), &kept, 0);
        assert_eq!(
            uploads.open(id(2, 11), &owner("ci"), 0, BOUNDS),
            Room::PrincipalFull
        );
        // Another node writes to one of them: it is not idle, and an older one makes room.
        let now = 2 * HOUR_MS;
        let kept = HashMap::from([
            (files[0], of_ci(now / 1000)),
            (files[1], of_ci(0)),
            (files[2], of_ci(now / 1000)),
        ]);
        uploads.renew(files.clone(), &kept, now);
        assert_eq!(
            uploads.open(id(2, 12), &owner("ci"), now, BOUNDS),
            Room::Made(Some(files[1]))
        );
        assert_eq!(
            uploads.open(id(2, 13), &owner("ci"), now, BOUNDS),
            Room::PrincipalFull
        );
    }
}

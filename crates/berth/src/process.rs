//! What is set for the process as a whole.

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
};

/// Keeps other users of the machine away from what this process writes and holds: new files are the
/// owner's alone, its memory goes into no core file, and no process of the same user may look into it
/// (prctl(2), `PR_SET_DUMPABLE`). Keys are in that memory.
pub fn keep_private() {
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core files cannot be switched off: a crash may write keys to the disk");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user may read the memory of this one");
    }
}

/// Raises the soft limit of open files to the hard one: shells often give 1,024, and a connection takes
/// two.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::warn!(limit = ?limit.current, "the limit of open files cannot be raised: raise it with ulimit -n");
    }
}

/// How many files may be open at once; `None` where there is no limit.
pub fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

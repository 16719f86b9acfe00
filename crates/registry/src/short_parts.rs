//! Parts of layers that were too small.

use blobs::UploadId;
use quick_cache::sync::Cache as Map;

/// Uploads by `UploadLayerPart` whose small parts are remembered.
const SHORT_PARTS_MAX: usize = 10_000;

/// Which uploads had a part smaller than 5 MiB: it may only be the last one.
/// (ECR API, `LayerPartTooSmallException`.) Forgotten with a restart, which makes
/// the check lenient, never wrong.
pub(crate) struct ShortParts(Map<UploadId, ()>);

impl ShortParts {
    pub(crate) fn new() -> Self {
        ShortParts(Map::new(SHORT_PARTS_MAX))
    }

    pub(crate) fn note(&self, id: UploadId) {
        self.0.insert(id, ());
    }

    pub(crate) fn has(&self, id: &UploadId) -> bool {
        self.0.get(id).is_some()
    }

    pub(crate) fn forget(&self, id: &UploadId) {
        self.0.remove(id);
    }
}

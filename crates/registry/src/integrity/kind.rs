//! What a check can find, and what a repair does about it.

macro_rules! kinds {
    ($($name:ident $text:literal $what:literal => $repair:literal),* $(,)?) => {
        /// What does not agree.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $(#[doc = $what] $name,)*
        }

        impl FindingKind {
            /// All kinds.
            pub const ALL: &'static [FindingKind] = &[$(FindingKind::$name),*];

            /// The name in answers and reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(FindingKind::$name => $text,)* }
            }

            /// What is wrong, for people.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(FindingKind::$name => $what,)* }
            }

            /// What a repair does; empty: it cannot do anything.
            #[must_use]
            pub const fn repair(self) -> &'static str {
                match self { $(FindingKind::$name => $repair,)* }
            }
        }
    };
}

kinds! {
    LostFile "LOST_FILE" "a blob has no file" => "marks the blob as lost",
    WrongSize "WRONG_SIZE" "a blob's file has another length"
        => "marks the blob as damaged, moves the file to the quarantine",
    WrongBytes "WRONG_BYTES" "a blob's bytes are not those of its digest, or do not open under their key"
        => "marks the blob as damaged, moves the file to the quarantine",
    WrongMark "WRONG_MARK" "what is marked as damaged is whole" => "takes the mark away",
    UnknownFile "UNKNOWN_FILE" "no row names a file" => "moves the file to the quarantine",
    StrayFile "STRAY_FILE" "a file among the blobs has no blob's name" => "moves the file to the quarantine",
    LinkWithoutBlob "LINK_WITHOUT_BLOB" "a repository has a layer whose blob has no row" => "notes the blob as lost",
    LinkSize "LINK_SIZE" "a repository's layer has another length than its blob" => "writes the blob's length",
    WrongManifest "WRONG_MANIFEST" "a manifest is not that of its digest" => "marks the image as damaged",
    ManifestSize "MANIFEST_SIZE" "a manifest has another length than its row says" => "writes its length",
    MissingLayer "MISSING_LAYER" "an image needs a layer that its repository does not have"
        => "links the blob, or notes it as lost",
    UnnotedLayer "UNNOTED_LAYER" "it is not noted that an image needs a layer" => "notes it",
    UnnotedChild "UNNOTED_CHILD" "it is not noted that a list needs an image" => "notes it",
    MissingChild "MISSING_CHILD" "a list needs an image that its repository does not have" => "",
    SearchEntry "SEARCH_ENTRY" "a search does not find an image" => "has the image indexed again",
    WrongTag "WRONG_TAG" "a tag names no image of its repository" => "removes the tag",
    TagRegistry "TAG_REGISTRY" "a tag is noted under another registry" => "writes its registry",
    ImageCount "IMAGE_COUNT" "a repository's number of images is wrong" => "counts again",
    LayerBytes "LAYER_BYTES" "a repository's number of bytes is wrong" => "counts again",
    UsageObject "USAGE_OBJECT" "a layer or manifest is not counted as it is stored" => "counts it again",
    UsageTotal "USAGE_TOTAL" "what a repository or registry stores is summed up wrongly" => "sums it up again",
}

impl FindingKind {
    /// Whether a repair does anything about it.
    #[must_use]
    pub const fn is_repaired(self) -> bool {
        !self.repair().is_empty()
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<FindingKind> {
        let mut all = FindingKind::ALL.iter();
        all.find(|kind| kind.as_str() == text).copied()
    }
}

//! An index by literal prefix: from a text to everything filed under one of its prefixes.
//!
//! A radix tree. Looking up walks the text once; what does not lie on its path is never
//! touched, so the cost follows the text's length and the matches, not the tree's size.

/// A radix tree over bytes.
#[derive(Debug)]
pub(crate) struct Trie<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    label: Box<[u8]>,
    value: Option<T>,
    /// Sorted by the label's first byte; no two share it.
    children: Vec<Node<T>>,
}

impl<T> Default for Trie<T> {
    fn default() -> Trie<T> {
        Trie {
            root: Node::new(&[]),
        }
    }
}

impl<T> Node<T> {
    fn new(label: &[u8]) -> Node<T> {
        Node {
            label: label.into(),
            value: None,
            children: Vec::new(),
        }
    }

    fn child(&self, byte: u8) -> Result<usize, usize> {
        self.children
            .binary_search_by(|child| child.label[0].cmp(&byte))
    }
}

impl<T: Default> Trie<T> {
    /// What is filed under `key`, made if need be.
    pub fn entry(&mut self, mut key: &[u8]) -> &mut T {
        let mut node = &mut self.root;
        while let Some(&first) = key.first() {
            let at = match node.child(first) {
                Err(at) => {
                    node.children.insert(at, Node::new(key));
                    key = &[];
                    at
                }
                Ok(at) => {
                    let label = &node.children[at].label;
                    let common = label.iter().zip(key).take_while(|(a, b)| a == b).count();
                    if common < label.len() {
                        split(&mut node.children[at], common);
                    }
                    key = &key[common..];
                    at
                }
            };
            node = &mut node.children[at];
        }
        node.value.get_or_insert_with(T::default)
    }
}

/// Cuts a node's label: the rest of it becomes its only child.
fn split<T>(node: &mut Node<T>, at: usize) {
    let mut lower = Node::new(&node.label[at..]);
    lower.value = node.value.take();
    lower.children = std::mem::take(&mut node.children);
    node.label = node.label[..at].into();
    node.children.push(lower);
}

impl<T> Trie<T> {
    /// Calls `visit` with everything filed under a prefix of `text`, shortest first.
    pub fn visit_prefixes(&self, text: &str, visit: impl FnMut(&T)) {
        self.visit(text.bytes(), visit);
    }

    /// The same for a tree whose keys were filed backwards: everything filed under a
    /// suffix of `text`.
    pub fn visit_suffixes(&self, text: &str, visit: impl FnMut(&T)) {
        self.visit(text.bytes().rev(), visit);
    }

    fn visit(&self, mut text: impl Iterator<Item = u8>, mut visit: impl FnMut(&T)) {
        let mut node = &self.root;
        loop {
            if let Some(value) = &node.value {
                visit(value);
            }
            if node.children.is_empty() {
                return;
            }
            let Some(first) = text.next() else { return };
            let Ok(at) = node.child(first) else { return };
            node = &node.children[at];
            if !node.label[1..]
                .iter()
                .all(|&byte| text.next() == Some(byte))
            {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_exactly_the_prefixes_and_suffixes(
            keys in proptest::collection::vec("[abc]{0,6}", 0..40),
            text in "[abc]{0,8}",
        ) {
            let mut trie: Trie<Vec<String>> = Trie::default();
            let mut reversed: Trie<Vec<String>> = Trie::default();
            for key in &keys {
                trie.entry(key.as_bytes()).push(key.clone());
                let backwards: Vec<u8> = key.bytes().rev().collect();
                reversed.entry(&backwards).push(key.clone());
            }
            let mut found = Vec::new();
            reversed.visit_suffixes(&text, |keys| found.extend(keys.iter().cloned()));
            let mut expected: Vec<String> =
                keys.iter().filter(|key| text.ends_with(&***key)).cloned().collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
            let mut found = Vec::new();
            trie.visit_prefixes(&text, |keys| found.extend(keys.iter().cloned()));
            let mut expected: Vec<String> =
                keys.into_iter().filter(|key| text.starts_with(&**key)).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}

//! An index by literal prefix: from a text to everything filed under one of its prefixes.
//!
//! A radix tree. Looking up walks the text once; what does not lie on its path is never
//! touched, so the cost follows the text's length and the matches, not the tree's size.
//! Trees grow as [`Trie`] and are then packed into a [`Forest`].

use std::num::NonZeroU32;

use crate::heap;

/// A radix tree over bytes, while it grows.
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

/// Trees in one piece of memory each for nodes and labels, to be looked up and not changed.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    nodes: Box<[Packed]>,
    labels: Box<[u8]>,
}

#[derive(Debug)]
struct Packed {
    /// Where the label starts in `Forest::labels`, and its length.
    label: (u32, u32),
    /// The first child and how many there are: they stand side by side, sorted by `first`.
    children: (u32, u32),
    value: Option<NonMaxU32>,
    /// The label's first byte.
    first: u8,
}

/// A value of a packed tree, which takes no more room than its number.
#[derive(Clone, Copy, Debug)]
struct NonMaxU32(NonZeroU32);

impl NonMaxU32 {
    fn new(value: u32) -> Option<NonMaxU32> {
        NonZeroU32::new(!value).map(NonMaxU32)
    }

    fn get(self) -> u32 {
        !self.0.get()
    }
}

/// Where a tree of a forest starts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Root(u32);

/// Packs trees into a forest.
#[derive(Default)]
pub(crate) struct ForestBuilder {
    nodes: Vec<Packed>,
    labels: Vec<u8>,
}

impl ForestBuilder {
    /// Adds a tree; `number` gives each of its values a number below `u32::MAX`.
    pub fn plant<T>(&mut self, trie: Trie<T>, mut number: impl FnMut(T) -> u32) -> Root {
        let root = self.reserve(std::slice::from_ref(&trie.root)).0;
        let mut open = vec![(root, trie.root)];
        while let Some((at, node)) = open.pop() {
            let children = self.reserve(&node.children);
            let packed = &mut self.nodes[at as usize];
            packed.children = children;
            packed.value = node.value.and_then(|value| NonMaxU32::new(number(value)));
            open.extend((children.0..).zip(node.children));
        }
        Root(root)
    }

    /// Makes room for nodes side by side.
    fn reserve<T>(&mut self, nodes: &[Node<T>]) -> (u32, u32) {
        let start = self.nodes.len() as u32;
        for node in nodes {
            let label = (self.labels.len() as u32, node.label.len() as u32);
            self.labels.extend_from_slice(&node.label);
            self.nodes.push(Packed {
                label,
                children: (0, 0),
                value: None,
                first: node.label.first().copied().unwrap_or_default(),
            });
        }
        (start, nodes.len() as u32)
    }

    pub fn build(self) -> Forest {
        Forest {
            nodes: self.nodes.into(),
            labels: self.labels.into(),
        }
    }
}

impl Forest {
    /// Calls `visit` with everything filed under a prefix of `text`, shortest first.
    pub fn visit_prefixes(&self, root: Root, text: &str, visit: impl FnMut(u32)) {
        self.visit(root, text.bytes(), visit);
    }

    /// The same for a tree whose keys were filed backwards: everything filed under a
    /// suffix of `text`.
    pub fn visit_suffixes(&self, root: Root, text: &str, visit: impl FnMut(u32)) {
        self.visit(root, text.bytes().rev(), visit);
    }

    fn visit(&self, root: Root, mut text: impl Iterator<Item = u8>, mut visit: impl FnMut(u32)) {
        // An empty forest has no roots.
        let Some(mut node) = self.nodes.get(root.0 as usize) else {
            return;
        };
        loop {
            if let Some(value) = node.value {
                visit(value.get());
            }
            let (start, count) = (node.children.0 as usize, node.children.1 as usize);
            if count == 0 {
                return;
            }
            let children = &self.nodes[start..start + count];
            let Some(first) = text.next() else { return };
            let Ok(at) = children.binary_search_by(|child| child.first.cmp(&first)) else {
                return;
            };
            node = &children[at];
            let (start, length) = (node.label.0 as usize, node.label.1 as usize);
            let label = &self.labels[start + 1..start + length];
            if !label.iter().all(|&byte| text.next() == Some(byte)) {
                return;
            }
        }
    }

    pub fn heap_bytes(&self) -> usize {
        heap::slice(&self.nodes) + heap::slice(&self.labels)
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
            let mut values: Vec<Vec<String>> = Vec::new();
            let mut number = |keys| {
                values.push(keys);
                values.len() as u32 - 1
            };
            let mut forest = ForestBuilder::default();
            let forwards = forest.plant(trie, &mut number);
            let backwards = forest.plant(reversed, &mut number);
            let forest = forest.build();
            let mut found = Vec::new();
            forest.visit_suffixes(backwards, &text, |at| {
                found.extend(values[at as usize].iter().cloned());
            });
            let mut expected: Vec<String> =
                keys.iter().filter(|key| text.ends_with(&***key)).cloned().collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
            let mut found = Vec::new();
            forest.visit_prefixes(forwards, &text, |at| {
                found.extend(values[at as usize].iter().cloned());
            });
            let mut expected: Vec<String> =
                keys.into_iter().filter(|key| text.starts_with(&**key)).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}

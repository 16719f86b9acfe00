//! The tables and their reader.

//! Where the cache file lives.

//! Whether an `id_token` says what it must.

//! Keys by which the server recognises a repetition.

/// A new idempotency key: 32 hexadecimal digits, a random (version 4) UUID without its hyphens.
///
/// Make one for each thing to be done, keep it while that is tried, and give it to every try: the
/// server then acts once. The randomness is the operating system's.
///
/// ```
/// use colony_core::{api::posts::CreatePost, idempotency};
///
/// let key = idempotency::new_key();
/// let post = CreatePost::new("Second reading", "It holds.").idempotency_key(&key);
/// # assert_eq!(post.idempotency_key.as_deref(), Some(&*key));
/// ```
pub fn new_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

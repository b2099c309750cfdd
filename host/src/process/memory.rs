//! The memory of the host itself.

/// Gives the system back what was freed. Reading a large configuration takes many times what is kept of it, in pieces
/// that lie between those that are; the allocator would keep them for a next time that may never come. Takes about as
/// long as the memory is large: a millisecond for ten thousand tasks.
pub fn give_memory_back() {
    // SAFETY: it takes no pointer, and may be called at any time on any thread.
    unsafe { libc::malloc_trim(0) };
}

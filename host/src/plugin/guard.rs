//! A panic of the host's own code that a plugin called would end the process at the boundary: it ends here instead.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls the host's code on behalf of a plugin; `otherwise` is what the plugin gets if it panics.
pub(super) fn guarded<R>(otherwise: R, body: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(payload) => {
            dispose(payload);
            otherwise
        }
    }
}

/// Drops a panic's payload, whose own `Drop` may panic; the payload of that panic is leaked, since it may go on so.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    struct PanicsAgain;

    impl Drop for PanicsAgain {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    #[test]
    fn a_panic_ends_in_the_other_value() {
        assert_eq!(guarded(1, || 2), 2);
        assert_eq!(guarded(1, || panic!("once")), 1);
        assert_eq!(guarded(1, || std::panic::panic_any(PanicsAgain)), 1);
    }
}

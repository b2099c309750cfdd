//! Whether there is enough.

use crate::options::Demand;
use crate::room::Room;
use bansuri_plugin_kit::human_size;

/// One line: `"/": 12.0 GiB of 100.0 GiB (12.0%) free, 900 of 1000 inodes (90.0%) free`.
pub(crate) fn summary(demand: &Demand, room: &Room) -> String {
    let inodes = if room.inodes == 0 { "any number of inodes".to_owned() } else { inodes(room) };
    format!("{:?}: {} free, {inodes} free", demand.path, space(room))
}

/// What is too little, each with what was found and what was demanded; empty if there is enough.
pub(crate) fn faults(demand: &Demand, room: &Room) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(limit) = demand.space {
        if room.bytes == 0 {
            faults.push(format!("{:?}: the file system does not say how large it is", demand.path));
        } else if !limit.is_met(room.free_bytes, room.bytes) {
            faults.push(format!("{:?}: {} free, expected at least {limit}", demand.path, space(room)));
        }
    }
    if let Some(limit) = demand.inodes
        && room.inodes > 0
        && !limit.is_met(room.free_inodes, room.inodes)
    {
        faults.push(format!("{:?}: {} free, expected at least {limit}", demand.path, inodes(room)));
    }
    faults
}

fn space(room: &Room) -> String {
    let (free, all) = (human_size(room.free_bytes), human_size(room.bytes));
    format!("{free} of {all} ({})", share(room.free_bytes, room.bytes))
}

fn inodes(room: &Room) -> String {
    format!("{} of {} inodes ({})", room.free_inodes, room.inodes, share(room.free_inodes, room.inodes))
}

/// Rounded down: what is below a limit must not look like it.
fn share(free: u64, all: u64) -> String {
    let tenths = (u128::from(free) * 1000).checked_div(u128::from(all)).unwrap_or(0);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use serde_json::{Value, json};
    use std::path::Path;

    const GIB: u64 = 1 << 30;

    fn room() -> Room {
        Room { bytes: 100 * GIB, free_bytes: 10 * GIB - 1, inodes: 1000, free_inodes: 49 }
    }

    fn demand(limits: Value) -> Demand {
        let options = json!({ "paths": [{ "path": "/" }], "timeout": 1 });
        let mut options = options.as_object().unwrap().clone();
        options.extend(limits.as_object().unwrap().clone());
        let options: Options = serde_json::from_value(options.into()).unwrap();
        options.demands(Path::new("/")).unwrap().remove(0)
    }

    fn check(limits: Value, room: Room, expect: &[&str]) {
        assert_eq!(faults(&demand(limits.clone()), &room), expect, "{limits}");
    }

    #[test]
    fn too_little() {
        check(json!({ "min-free": "9.9%", "min-free-inodes": "4.9%" }), room(), &[]);
        check(
            json!({ "min-free": "10%", "min-free-inodes": 50 }),
            room(),
            &[
                "\"/\": 10.0 GiB of 100.0 GiB (9.9%) free, expected at least 10%",
                "\"/\": 49 of 1000 inodes (4.9%) free, expected at least 50",
            ],
        );
        check(
            json!({ "min-free": "200G" }),
            room(),
            &["\"/\": 10.0 GiB of 100.0 GiB (9.9%) free, expected at least 200.0 GiB"],
        );
    }

    #[test]
    fn what_a_file_system_does_not_have() {
        let without_inodes = Room { inodes: 0, free_inodes: 0, ..room() };
        check(json!({ "min-free-inodes": "50%" }), without_inodes, &[]);
        check(json!({ "min-free-inodes": 1 }), without_inodes, &[]);
        let sizeless = Room { bytes: 0, free_bytes: 0, ..room() };
        check(
            json!({ "min-free": "1%" }),
            sizeless,
            &["\"/\": the file system does not say how large it is"],
        );
        check(json!({ "min-free-inodes": 1 }), sizeless, &[]);
    }

    #[test]
    fn summaries() {
        let demand = demand(json!({ "min-free": 1 }));
        let full = "\"/\": 10.0 GiB of 100.0 GiB (9.9%) free, 49 of 1000 inodes (4.9%) free";
        assert_eq!(summary(&demand, &room()), full);
        let endless = Room { bytes: 2048, free_bytes: 0, inodes: 0, free_inodes: 0 };
        let expect = "\"/\": 0 B of 2.0 KiB (0.0%) free, any number of inodes free";
        assert_eq!(summary(&demand, &endless), expect);
    }
}

//! Reading a cron expression: the core knows what one is.

use super::nearest::did_you_mean;
use super::read::{Misfit, text};
use super::typed::Typed;
use bansuri_core::{Cron, Zone};
use jsonc_parser::ast::Value;

/// The expression that is no time: once, when the host starts.
pub(super) const AT_START: &str = "@reboot";

/// Every expression that is a word.
const MACROS: [&str; 8] =
    ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", AT_START];

/// Reads an expression. Whether it is one does not depend on the zone, which is a key of its own and given to it later.
pub(super) fn check<'a>(value: &'a Value<'a>) -> Result<Typed<'a>, Misfit> {
    const EXPECTED: &str = "a cron expression such as \"*/5 * * * *\" or \"@daily\"";
    let expression = text(value).map_err(|_| Misfit::new(EXPECTED))?.trim();
    if expression.eq_ignore_ascii_case(AT_START) {
        return Ok(Typed::Text(AT_START));
    }
    match Cron::parse(expression, Zone::UTC) {
        Ok(cron) => Ok(Typed::Cron(Box::new(cron))),
        Err(error) => {
            let help = if expression.starts_with('@') { of_macros(expression) } else { error.to_string() };
            Err(Misfit::new(EXPECTED).help(Some(help)))
        }
    }
}

/// The word that is meant, or all there are.
fn of_macros(written: &str) -> String {
    did_you_mean(written, MACROS).unwrap_or_else(|| format!("the words are {}", MACROS.join(", ")))
}

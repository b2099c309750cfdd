//! What is an expression, what is none, and what the message says.

use crate::times::{at, cron, shown, ticks, zone};
use bansuri_core::Cron;

/// Two expressions fire at the same times of some years.
fn same(one: &str, other: &str) {
    let (after, until) = (at("2026-01-01 00:00", "UTC"), at("2029-04-01 00:00", "UTC"));
    let until = if one.starts_with('*') { at("2026-01-03 00:00", "UTC") } else { until };
    let found = ticks(&cron(one, "UTC"), after, until);
    assert!(!found.is_empty(), "{one}");
    assert_eq!(found, ticks(&cron(other, "UTC"), after, until), "{one} and {other}");
}

#[test]
fn words_steps_and_macros_stand_for_numbers() {
    same("0 0 1 JAN-mar,Dec *", "0 0 1 1,2,3,12 *");
    same("0 0 * * mon-FRI", "0 0 * * 1,2,3,4,5");
    same("0 0 * * FRI-SUN", "0 0 * * 5,6,0");
    same("0 0 * * 5-7", "0 0 * * 5,6,0");
    same("0 0 * * MON-SUN", "0 0 * * *");
    same("0 0 * * 7", "0 0 * * SUN");
    same("0 0 * * 1/2", "0 0 * * 1,3,5");
    same("0 0 * * */2", "0 0 * * 0,2,4,6");
    same("50/4 5 * * *", "50,54,58 5 * * *");
    same("1-10/4,30 5 * * *", "1,5,9,30 5 * * *");
    same("*/15 * * * *", "0-59/15 * * * *");
    same("*/20 * * * * *", "0,20,40 0-59 * * * *");
    same("0 0 ? * MON", "0 0 * * MON");
    same("0 0 1 * ?", "0 0 1 * *");
    same(" 0\t0  1 * * ", "0 0 0 1 * *");
    same("0 0 * * FRI#L", "0 0 * * 5l");
    same("0 0 * * MON-WED#2", "0 0 * * 1#2,2#2,3#2");
    same("0 0 28-31,L * *", "0 0 28,29,30,31 * *");
    for (name, fields) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ] {
        same(name, fields);
        assert_eq!(cron(name, "UTC").text(), name);
    }
}

/// The dates on which an expression fires in a stretch of UTC.
fn dates(text: &str, (from, to): (&str, &str), expect: &[&str]) {
    let found: Vec<String> = ticks(&cron(text, "UTC"), at(from, "UTC"), at(to, "UTC"))
        .into_iter()
        .map(|tick| shown(tick, "UTC")[..10].to_owned())
        .collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn day_fields_that_are_both_set_are_alternatives() {
    let november = ("2026-11-01 00:00", "2026-12-01 00:00");
    dates("0 12 13 * FRI", november, &["2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27"]);
    dates("0 12 2 * SUN#1", november, &["2026-11-01", "2026-11-02"]);
    dates("0 12 L * MON#5", november, &["2026-11-30"]);
    // One that begins with a star is not set, and must fit as well.
    dates("0 12 */10 * SUN", november, &["2026-11-01"]);
    dates("0 12 1-7 * */6", november, &["2026-11-01", "2026-11-07"]);
    dates("0 12 *,1 * SAT", november, &["2026-11-07", "2026-11-14", "2026-11-21", "2026-11-28"]);
    dates(
        "0 12 1-31/10 * SUN",
        november,
        &["2026-11-01", "2026-11-08", "2026-11-11", "2026-11-15", "2026-11-21", "2026-11-22", "2026-11-29"],
    );
}

#[test]
fn last_and_nth_days_follow_the_month() {
    dates(
        "0 0 L * *",
        ("2027-12-01 00:00", "2028-05-01 00:00"),
        &["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"],
    );
    dates("0 0 15,L 2 *", ("2026-01-01 00:00", "2026-12-01 00:00"), &["2026-02-15", "2026-02-28"]);
    dates(
        "0 0 * * FRI#5",
        ("2026-01-01 12:00", "2026-08-01 00:00"),
        &["2026-01-30", "2026-05-29", "2026-07-31"],
    );
    dates(
        "0 0 * * 5L",
        ("2026-01-01 00:00", "2026-04-01 00:00"),
        &["2026-01-30", "2026-02-27", "2026-03-27"],
    );
    dates("0 0 * 11 1#1,7L", ("2026-01-01 00:00", "2027-01-01 00:00"), &["2026-11-02", "2026-11-29"]);
    dates(
        "0 0 31 * *",
        ("2026-01-31 00:00", "2026-08-01 00:00"),
        &["2026-03-31", "2026-05-31", "2026-07-31"],
    );
}

fn refused(text: &str, expect: &str) {
    let found =
        Cron::parse(text, zone("UTC")).map(|cron| format!("{cron:?}")).map_err(|error| error.to_string());
    assert_eq!(found, Err(expect.to_owned()), "{text}");
}

#[test]
fn errors_name_the_field_what_was_found_and_what_is_valid() {
    const COUNT: &str =
        "expected 5 (minute, hour, day of month, month, day of week), or 6 with seconds first";
    refused("", &format!("found 0 fields, {COUNT}"));
    refused("* * * *", &format!("found 4 fields, {COUNT}"));
    refused("0 0 0 1 1 * 2026", &format!("found 7 fields, {COUNT}"));
    refused("60 * * * *", r#"minute "60": "60" is not a number from 0 to 59"#);
    refused("60 * * * * *", r#"second "60": "60" is not a number from 0 to 59"#);
    refused("0 1,24 * * *", r#"hour "1,24": "24" is not a number from 0 to 23"#);
    refused("0 0 0 * *", r#"day of month "0": "0" is not a number from 1 to 31 or L for the last"#);
    refused("0 0 15W * *", r#"day of month "15W": "15W" is not a number from 1 to 31 or L for the last"#);
    refused("0 0 * FOO *", r#"month "FOO": "FOO" is not a number from 1 to 12 or a name from JAN to DEC"#);
    refused("0 0 * * 8", r#"day of week "8": "8" is not a number from 0 to 7 or a name from MON to SUN"#);
    refused(
        "0 0 * * L",
        r#"day of week "L": "L" needs a day before it, such as 5L for the last Friday of the month"#,
    );
    refused("0 0 * * 5#6", r##"day of week "5#6": "6" after the # is not a number from 1 to 5, nor L"##);
    refused("0 0 5#1 * *", r##"day of month "5#1": "5#1" has a #, which the day of week alone may have"##);
    refused(
        "0 22-2 * * *",
        r#"hour "22-2": the range "22-2" runs backwards, write 22-23,0-2 for one that wraps"#,
    );
    refused(
        "0 0 * * FRI-MON",
        r#"day of week "FRI-MON": the range "FRI-MON" runs backwards, write 5-6,0-1 for one that wraps"#,
    );
    refused("*/0 * * * *", r#"minute "*/0": the step "0" is not a number from 1 to 59"#);
    refused("*/90 * * * *", r#"minute "*/90": the step "90" is not a number from 1 to 59"#);
    refused("1,,2 * * * *", r#"minute "1,,2": an item of the list is empty, expected a number from 0 to 59"#);
    refused("+5 * * * *", r#"minute "+5": "+5" is not a number from 0 to 59"#);
    refused("? * * * *", r#"minute "?": "?" is not a number from 0 to 59"#);
    refused("1-2-3 * * * *", r#"minute "1-2-3": "2-3" is not a number from 0 to 59"#);
    refused("99999999999 * * * *", r#"minute "99999999999": "99999999999" is not a number from 0 to 59"#);
    refused("@reboot", r#""@reboot" is no time, it is when the host starts"#);
    refused(
        "@fortnightly",
        r#""@fortnightly" is not one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"#,
    );
}

#[test]
fn an_expression_that_no_date_fits_is_refused() {
    let never = |text: &str| {
        let error = Cron::parse(text, zone("UTC")).expect_err(text).to_string();
        assert!(
            error.starts_with("it can never fire: no year has a date that fits the day of month "),
            "{error}"
        );
    };
    never("0 0 30 2 *");
    never("0 0 30,31 FEB *");
    never("0 0 31 4,6,9,11 *");
    never("0 0 31 2-2 ?");
    // Days 1 and 31, of which February has the first, which is no fifth Friday.
    never("0 0 */30 2 FRI#5");
    // These do fire: in leap years, on the weekday, on the last day.
    dates("0 0 29 2 *", ("2026-01-01 00:00", "2033-01-01 00:00"), &["2028-02-29", "2032-02-29"]);
    dates("0 0 30 2 MON#1", ("2026-01-01 00:00", "2027-01-01 00:00"), &["2026-02-02"]);
    dates("0 0 30,L 2 *", ("2026-01-01 00:00", "2027-01-01 00:00"), &["2026-02-28"]);
    dates(
        "0 0 */28 2 FRI#5",
        ("2026-01-01 00:00", "2100-01-01 00:00"),
        &["2036-02-29", "2064-02-29", "2092-02-29"],
    );
}

#[test]
fn any_text_is_an_expression_or_an_error() {
    let mut random = crate::random::Random::new(7);
    let alphabet: Vec<char> = "0123456789*/,-#L?@ \tMONWabäé€\u{0}+".chars().collect();
    for _ in 0..20_000 {
        let length = random.between(0, 24);
        let text: String = (0..length)
            .map(|_| alphabet[usize::try_from(random.number() % alphabet.len() as u64).unwrap()])
            .collect();
        if let Ok(cron) = Cron::parse(&text, zone("UTC")) {
            assert!(cron.next_after(at("2026-01-01 00:00", "UTC")).is_some(), "{text}");
        }
    }
}

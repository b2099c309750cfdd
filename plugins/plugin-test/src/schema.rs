//! The schema that a type publishes, held against the same type as a reader: what a check of the configuration refuses and
//! what the plugin refuses is to be the same, but for what no schema can say.

use crate::Values;
use jsonschema::Validator;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// Reads a value, which the schema takes exactly where the reader does: what is read, or why it cannot be.
///
/// # Panics
/// The two do not agree.
pub fn read<T: DeserializeOwned + JsonSchema + Debug>(value: &Value) -> Result<T, String> {
    let read = by_reader::<T>(value);
    assert_eq!(validator::<T>().is_valid(value), read.is_ok(), "the schema on {value}, read as {read:?}");
    read
}

/// Why the reader refuses a value of which no schema can tell that it is wrong.
///
/// # Panics
/// The schema refuses it too, or the reader does not.
pub fn beyond_schema<T: DeserializeOwned + JsonSchema + Debug>(value: &Value) -> String {
    assert!(validator::<T>().is_valid(value), "the schema refuses {value}");
    by_reader::<T>(value).expect_err("what is beyond the schema is wrong")
}

/// Holds the schema and the reader against a table of values and whether they are good.
///
/// # Panics
/// One of the two thinks otherwise.
pub fn agree<T: DeserializeOwned + JsonSchema + Debug>(
    cases: impl IntoIterator<Item = (impl Into<Value>, bool)>,
) {
    let schema = validator::<T>();
    for (value, is_good) in cases {
        hold::<T>(&schema, &value.into(), is_good, is_good);
    }
}

/// Holds the schema and the reader of all options against tables of single ones, each in its turn put into options that are
/// good: of each option which values are good and which are not, and which are wrong although no schema can tell.
///
/// # Panics
/// One of the two thinks otherwise.
pub fn agree_on_options<T: DeserializeOwned + JsonSchema + Debug>(
    good: &Value,
    table: &[(&str, Values)],
    beyond_schema: &[(&str, &str)],
) {
    let schema = validator::<T>();
    let check = |option: &str, values: &str, is_good: bool, is_valid: bool| {
        let values: Vec<Value> = serde_json::from_str(values).expect("values are a list in JSON");
        for value in values {
            let mut options = good.clone();
            options[option] = value;
            hold::<T>(&schema, &options, is_good, is_valid);
        }
    };
    for (option, values) in table {
        check(option, values.good, true, true);
        check(option, values.bad, false, false);
    }
    for (option, values) in beyond_schema {
        check(option, values, false, true);
    }
}

/// The names of the options that a type has, sorted: its schema describes those and no others, and so does its reader.
///
/// # Panics
/// They do not know the same ones, or one of them takes others too.
pub fn option_names<T: DeserializeOwned + JsonSchema + Debug>() -> Vec<String> {
    let schema = schemars::schema_for!(T).to_value();
    let properties = schema["properties"].as_object().expect("options are an object");
    let mut described: Vec<_> = properties.keys().cloned().collect();
    described.sort();
    let unknown = by_reader::<T>(&serde_json::json!({ "?": 1 })).expect_err("no option has this name");
    let (_, list) = unknown.split_once(", expected ").expect("the error says what is valid");
    let mut known: Vec<_> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    known.sort();
    assert_eq!(described, known, "the schema, and the reader");
    assert_eq!(schema["additionalProperties"], false);
    described
}

fn hold<T: DeserializeOwned + Debug>(schema: &Validator, value: &Value, is_good: bool, is_valid: bool) {
    assert_eq!(schema.is_valid(value), is_valid, "by the schema: {value}");
    let read = by_reader::<T>(value);
    assert_eq!(read.is_ok(), is_good, "{value}: {read:?}");
}

/// From text, as a plugin gets its options.
fn by_reader<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

/// Of a schema that is one, and needs nothing from elsewhere.
fn validator<T: JsonSchema>() -> Validator {
    let schema = schemars::schema_for!(T).to_value();
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}: {schema:#}"));
    jsonschema::options().offline().build(&schema).unwrap_or_else(|error| panic!("{error}: {schema:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    /// Its reader takes no even number, its schema no number above 10.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(try_from = "u8")]
    #[schemars(with = "u8", extend("maximum" = 10))]
    struct Odd(u8);

    impl TryFrom<u8> for Odd {
        type Error = String;

        fn try_from(number: u8) -> Result<Self, String> {
            if number % 2 == 1 { Ok(Self(number)) } else { Err(format!("{number}: expected an odd number")) }
        }
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "nobody asks what was read")]
    struct Options {
        odd: Odd,
        #[serde(default)]
        word: String,
    }

    const ODD: Values = Values { good: "[1, 9]", bad: "[-1, 12, null]" };

    #[test]
    fn what_both_say_is_the_answer() {
        assert_eq!(read::<Odd>(&json!(3)).unwrap().0, 3);
        assert_eq!(read::<Odd>(&json!(12)).unwrap_err(), "12: expected an odd number");
        assert_eq!(beyond_schema::<Odd>(&json!(2)), "2: expected an odd number");
        agree::<Odd>([(3, true), (-1, false)]);
        agree_on_options::<Options>(&json!({ "odd": 1 }), &[("odd", ODD)], &[("odd", "[2]")]);
        assert_eq!(option_names::<Options>(), ["odd", "word"]);
    }

    #[test]
    #[should_panic(expected = "the schema on 2")]
    fn what_the_reader_alone_refuses_is_found() {
        let _ = read::<Odd>(&json!(2));
    }

    #[test]
    #[should_panic(expected = "by the schema: {\"odd\":11}")]
    fn what_the_schema_alone_refuses_is_found() {
        let table = [("odd", Values { good: "[11]", bad: "[]" })];
        agree_on_options::<Options>(&json!({ "odd": 1 }), &table, &[]);
    }

    #[test]
    #[should_panic(expected = "the schema refuses 12")]
    fn what_a_schema_tells_is_not_beyond_it() {
        beyond_schema::<Odd>(&json!(12));
    }

    #[test]
    #[should_panic(expected = "5: Ok(Odd(5))")]
    fn a_table_that_is_wrong_is_found() {
        let schema = jsonschema::options().build(&json!(false)).unwrap();
        hold::<Odd>(&schema, &json!(5), false, false);
    }

    #[test]
    #[should_panic(expected = "no option has this name")]
    fn a_reader_that_takes_any_name_is_found() {
        #[derive(Debug, Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "nobody asks what was read")]
        struct Open {
            #[serde(default)]
            word: String,
        }
        option_names::<Open>();
    }
}

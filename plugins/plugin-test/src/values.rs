//! Values of an option: what is good and what is not. Those of the types that options of several plugins have are here.

/// Two lists in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// What the schema and the reader take.
    pub good: &'static str,
    /// What neither takes.
    pub bad: &'static str,
}

/// Of an address of HTTP.
pub const URLS: Values = Values {
    good: r#"["http://a", "HTTPS://a:80/b?c", "http://[::1]:8080/", "https://a?b", "http://a/@b", "http://10.0.0.1/%20"]"#,
    bad: r#"["", "a", "/a", "ftp://a/", "http://", "http:///a", "http://a b/", "http://a/b c", "http://b@a/",
        "http://b:c@a/", "http://:80/", " http://a", 1, null, []]"#,
};

/// Of the headers of a request.
pub const HEADERS: Values = Values {
    good: r#"[{}, { "X-Token": "a b", "accept": "" }, { "a": "\u00e4\t" }, { "!#$%&'*+-.^_`|~": "" }]"#,
    bad: r#"[null, [], { "a b": "" }, { "": "" }, { "a": "b\n" }, { "a": "\u007f" }, { "a": 1 }, { "a": null }]"#,
};

/// Of a duration that has a default.
pub const SPANS: Values = Values {
    good: r#"[1, 18446744073709551615, "2", "500ms", "0m1s", "1d2h3m4s5ms", "007"]"#,
    bad: r#"[0, -1, 1.5, "", "0", "0s", "s", "5 s", "5x", "-5s", "1.5s", "5s ", "+5", "+5s", true, [], null]"#,
};

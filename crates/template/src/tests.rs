//! Templates, filled in.

use super::*;

fn with(text: &str, value: f64) -> Result<String, TemplateError> {
    let labels = Labels::new([("instance", "web-1:9100"), ("device", "sda")]).unwrap();
    let external = BTreeMap::from([("site".to_owned(), "north".to_owned())]);
    let query = |expr: &str| match expr {
        "up" => Ok(["b", "a"]
            .map(|host| Sample {
                labels: BTreeMap::from([("host".to_owned(), host.to_owned())]),
                value: 1.0,
            })
            .to_vec()),
        "none" => Ok(Vec::new()),
        expr => Err(format!("no such series: {expr}")),
    };
    let context = Context {
        labels: &labels,
        value,
        external_labels: &external,
        external_url: "https://example.org/barograph/",
        now_ms: 1_700_000_000_500,
        query: &query,
    };
    Template::parse(text)?.fill(&context)
}

#[track_caller]
fn check(text: &str, value: f64, expected: &str) {
    assert_eq!(with(text, value).as_deref(), Ok(expected), "{text}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(with(text, 1.0).unwrap_err().to_string(), expected, "{text}");
}

#[test]
fn labels_and_values_are_filled_in() {
    check("{{ $labels.instance }} has {{ $value }}", 0.5, "web-1:9100 has 0.5");
    check("{{ .Labels.device }} {{ .Value }}", 3.0, "sda 3");
    check("[{{ $labels.absent }}]", 0.0, "[]");
    check(
        "{{ $externalLabels.site }} {{ $externalURL }}",
        0.0,
        "north https://example.org/barograph/",
    );
    check("{{ pathPrefix }} {{ externalURL }}", 0.0, "/barograph https://example.org/barograph/");
    check("{{ with $labels }}{{ .device }}{{ end }}", 0.0, "sda");
}

#[test]
fn values_are_printed_as_go_prints_them() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.5, "-0.5"),
        (100_000.0, "100000"),
        (1_000_000.0, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.000_01, "1e-05"),
        (123_456.75, "123456.75"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+Inf"),
    ] {
        check("{{ $value }}", value, expected);
    }
}

#[test]
fn blanks_beside_trimmed_actions_go() {
    check("a \n {{- $value -}} \n b", 1.0, "a1b");
    check("a {{/* nothing */}} b {{- /* nothing */ -}} c", 1.0, "a  bc");
    check("{{ -1 }}{{- 2 }}", 1.0, "-12");
}

#[test]
fn conditions_branch_and_variables_end_with_them() {
    let text = "{{ if gt $value 90.0 }}high{{ else if gt $value 50 }}middle{{ else }}low{{ end }}";
    check(text, 95.0, "high");
    check(text, 60.0, "middle");
    check(text, 1.0, "low");
    check("{{ if and (eq $labels.device \"sda\") (not false) }}yes{{ end }}", 1.0, "yes");
    check("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", 1.0, "2");
    check("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", 1.0, "21");
    check_error(
        "{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}",
        "template:1: undefined variable \"$x\"",
    );
}

#[test]
fn queries_are_asked_and_walked_through() {
    check(
        "{{ range query \"up\" | sortByLabel \"host\" }}{{ .Labels.host }}={{ .Value }} {{ end }}",
        1.0,
        "a=1 b=1 ",
    );
    check("{{ range $i, $e := query \"up\" }}{{ $i }}{{ $e.Labels.host }}{{ end }}", 1.0, "0b1a");
    check("{{ query \"up\" | first | value | printf \"%.2f\" }}", 1.0, "1.00");
    check("{{ query \"up\" | first | label \"host\" }}", 1.0, "b");
    check("{{ with query \"none\" }}some{{ else }}none{{ end }}", 1.0, "none");
    check("{{ range query \"none\" }}x{{ else }}empty{{ end }}", 1.0, "empty");
    check("{{ range query \"up\" }}{{ .Labels.host }}{{ break }}{{ end }}", 1.0, "b");
    check_error("a\n{{ query \"bad\" }}", "template:2: error calling query: no such series: bad");
    check_error(
        "{{ query \"none\" | first }}",
        "template:1: error calling first: first() called on vector with no elements",
    );
}

#[test]
fn numbers_are_made_readable() {
    for (text, value, expected) in [
        ("humanize", 0.0, "0"),
        ("humanize", 123_456.0, "123.5k"),
        ("humanize", 0.001_234, "1.234m"),
        ("humanize", f64::INFINITY, "+Inf"),
        ("humanize1024", 1_048_576.0, "1Mi"),
        ("humanize1024", 0.125, "0.125"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 59.5, "59.5s"),
        ("humanizeDuration", 3_661.0, "1h 1m 1s"),
        ("humanizeDuration", 90_061.0, "1d 1h 1m 1s"),
        ("humanizeDuration", -61.0, "-1m 1s"),
        ("humanizeDuration", 0.000_5, "500us"),
        ("humanizePercentage", 0.123_456, "12.35%"),
        ("humanizeTimestamp", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
    ] {
        check(&format!("{{{{ $value | {text} }}}}"), value, expected);
    }
}

#[test]
fn texts_are_changed() {
    for (text, expected) in [
        (r"{{ stripPort $labels.instance }}", "web-1"),
        (r#"{{ stripDomain "a.example.org:90" }}"#, "a:90"),
        (r#"{{ stripDomain "10.0.0.1:90" }}"#, "10.0.0.1:90"),
        (r#"{{ stripPort "[::1]:90" }}"#, "::1"),
        (r#"{{ title "disk is full" }}"#, "Disk Is Full"),
        (r#"{{ "x" | toUpper }}"#, "X"),
        (r#"{{ reReplaceAll "(.*):.*" "$1!" $labels.instance }}"#, "web-1!"),
        (r#"{{ match "^web" $labels.instance }}"#, "true"),
        (r#"{{ graphLink "up > 0" }}"#, "/graph?g0.expr=up+%3E+0&g0.tab=0"),
        (r#"{{ parseDuration "1h30m" }}"#, "5400"),
        (r#"{{ print 1 2 "x" 3 }}"#, "1 2x3"),
        (r#"{{ len "four" }}"#, "4"),
        (r#"{{ index $labels "device" }}"#, "sda"),
        (
            r#"{{ printf "%-6s|%6.2f|%05d|%q|%d%%" "ab" $value 42 "q" 5 }}"#,
            "ab    |  1.50|00042|\"q\"|5%",
        ),
        (r#"{{ printf "%s" 1 }}"#, "%!s(int=1)"),
        (r#"{{ printf "%e %g" $value $value }}"#, "1.500000e+00 1.5"),
    ] {
        check(text, 1.5, expected);
    }
}

#[test]
fn templates_are_defined_and_called() {
    check(
        "{{ define \"host\" }}<{{ .arg0 }}>{{ end }}{{ template \"host\" (args $labels.device) }}",
        1.0,
        "<sda>",
    );
    check_error("{{ template \"no\" . }}", "template:1: template \"no\" not defined");
}

#[test]
fn mistakes_name_their_line() {
    for (text, expected) in [
        ("a\n{{ nosuch }}", "template:2: function \"nosuch\" not defined"),
        ("{{ $value", "template:1: unclosed action"),
        ("{{ if true }}x", "template:1: unexpected end of the text, {{end}} is missing"),
        ("{{ end }}", "template:1: unexpected {{end}}"),
        ("{{ }}", "template:1: missing value for command"),
        ("{{ \"a }}", "template:1: unterminated quoted string"),
        ("{{ 1 | 2 }}", "template:1: only functions may follow a `|`"),
        ("{{ humanize \"many\" }}", "template:1: error calling humanize: `many` is not a number"),
        (
            "{{ humanize 1 2 }}",
            "template:1: error calling humanize: wrong number of args: want 1 got 2",
        ),
        ("{{ $value.x }}", "template:1: a number has no field x"),
        (
            "{{ reReplaceAll \"(\" \"\" \"\" | len }}",
            "template:1: error calling reReplaceAll: the regular expression is not valid: regex parse error:\n    (\n    ^\nerror: unclosed group",
        ),
        ("{{ break }}", "template:1: {{break}} outside {{range}}"),
    ] {
        check_error(text, expected);
    }
}

#[test]
fn work_nesting_and_output_are_bounded() {
    let doubling = "{{ $x := \"xxxxxxxx\" }}{{ range query \"up\" }}".to_owned()
        + &"{{ $x = printf \"%s%s\" $x $x }}".repeat(20)
        + "{{ end }}";
    let told = with(&doubling, 1.0).unwrap_err().to_string();
    assert!(told.ends_with("the text is longer than 65536 bytes"), "{told}");
    let calling = "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}";
    check_error(calling, "template:1: `template` calls more than 50 deep");
    let nested = "{{ if true }}".repeat(60) + &"{{ end }}".repeat(60);
    check_error(&nested, "template:1: nested more than 50 deep");
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(1000), ")".repeat(1000));
    check_error(&parens, "template:1: nested more than 50 deep");
    let mut inner = String::from("x");
    for _ in 0..12 {
        inner = format!("{{{{ range query \"up\" }}}}{inner}{inner}{{{{ end }}}}");
    }
    assert!(with(&inner, 1.0).is_err());
    let long = "x".repeat(MAX_TEMPLATE_BYTES + 1);
    check_error(&long, "template:1: 65537 bytes are too long, at most 65536 are allowed");
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_template_or_an_error(text in "(\\{\\{|\\}\\}|[ .$|()a-z\"0-9=:-]|if|end|range|else|with|printf|%){0,40}") {
            drop(with(&text, 1.0));
        }

        #[test]
        fn without_actions_stays_as_it_is(text in "[^{}]{0,60}") {
            prop_assert_eq!(with(&text, 1.0).unwrap(), text);
        }
    }
}

#[test]
fn data_is_escaped_and_never_a_template() {
    let alert = |name: &str| Value::map([("Name", Value::text_of(name))]);
    let dot = Value::map([
        ("Title", Value::text_of("{{ .Secret }} <b>")),
        ("Alerts", Value::List(vec![alert("a"), alert("<b>")])),
    ]);
    let escape = |text: &str| text.replace('<', "&lt;");
    let data = Data { dot: &dot, external_url: "", now_ms: 0, escape };
    let text = r#"{{ define "one" }}<i>{{ .Name }}</i>{{ end }}{{ .Title }}{{ range .Alerts }} {{ template "one" . }}{{ end }}{{ len $.Alerts }}"#;
    let filled = Template::parse(text).unwrap().fill_data(&data);
    let expected = "{{ .Secret }} &lt;b> <i>a</i> <i>&lt;b></i>2";
    assert_eq!(filled.as_deref(), Ok(expected));
    let asks = Template::parse(r#"{{ query "up" }}"#).unwrap().fill_data(&data).unwrap_err();
    assert!(asks.to_string().contains("there are no queries in messages"), "{asks}");
}

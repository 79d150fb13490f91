//! What is watched and scraped as documents say it, taken up while the server runs.

use serde_json::Value;

use crate::program::Server;

#[test]
fn documents_of_what_is_watched_and_scraped_are_taken_up_live() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let put = |path: &str, text: &str| {
        let made = server.send("PUT", path, &[], text.as_bytes());
        assert_eq!(made.status, 200, "{}", made.body);
    };
    put("/api/documents/watch/default", "processes: ['barograph*']\n");
    let address = server.address;
    let scrape = "/api/documents/scrapes/self";
    put(scrape, &format!("targets: ['{address}']\ninterval: 1s\n"));

    let newest = |server: &Server, query: &str| {
        let answer = server.json(&format!("/api/v1/query?query={query}"));
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    server.wait_for("a watched process", |server| {
        newest(server, "process_group_count").filter(|it| it != "0")
    });
    server.wait_for("a scrape", |server| newest(server, "up").filter(|it| it == "1"));
    let targets = server.json("/api/v1/targets");
    assert_eq!(targets["data"]["activeTargets"][0]["scrapePool"], Value::from("self"));

    let gone = server.send("DELETE", scrape, &[], b"");
    assert_eq!(gone.status, 200, "{}", gone.body);
    server.wait_for("the end of the series", |server| newest(server, "up").is_none().then_some(()));
}

//! A signed-in client of a server.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::{Server, until};

/// A client with a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Client {
    /// Who may read the data folder.
    pub(super) fn development(server: &Server) -> Self {
        let file = std::fs::read(server.data().join("context.json")).unwrap();
        let context: Value = serde_json::from_slice(&file).unwrap();
        let text = |key: &str| context[key].as_str().unwrap().to_owned();
        Self::sign_in(server.address, &text("client_id"), &text("client_secret"))
    }

    /// A client of the configuration.
    pub(crate) fn sign_in(address: SocketAddr, id: &str, secret: &str) -> Self {
        let answer = ask_for_token(address, id, secret, "").expect(200).json();
        Self { address, token: answer["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).header("Authorization", &format!("Bearer {}", self.token))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send(self.address)
    }

    pub(crate) fn put(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.request("PUT", path).body("application/json", body).send(self.address)
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.request("POST", path).body(content_type, body).send(self.address)
    }

    /// Puts one record, and gives where it is.
    pub(crate) fn put_record(&self, stream: &str, key: &str, data: &str) -> Value {
        let body = format!(r#"{{"Data": {data}, "PartitionKey": "{key}"}}"#);
        self.put(&format!("/streams/{stream}/record"), body).expect(200).json()
    }

    /// The whole answer to a document.
    pub(crate) fn graphql_answer(&self, document: &str, variables: &Value) -> Answer {
        let body = json!({ "query": document, "variables": variables }).to_string();
        self.post("/graphql", "application/json", body)
    }

    /// The `data` of an answer without errors.
    pub(crate) fn graphql(&self, document: &str) -> Value {
        let mut answer = self.graphql_answer(document, &json!({})).expect(200).json();
        assert!(answer.get("errors").is_none(), "{document}: {answer}");
        answer["data"].take()
    }

    /// Asks until the answer holds at least `count` nodes of `field`, and gives the nodes. A field that is not there yet
    /// is waited for, too.
    pub(crate) fn nodes(&self, field: &str, document: &str, count: usize) -> Vec<Value> {
        until(
            &format!("{count} nodes of {document}"),
            || self.graphql_answer(document, &json!({})).json(),
            |answer| {
                let nodes = answer["data"][field]["nodes"].as_array()?;
                (nodes.len() >= count).then(|| nodes.clone())
            },
        )
    }

    /// What `raw` of each node of a stream is, once there are `count`.
    pub(crate) fn raws(&self, field: &str, count: usize) -> Vec<String> {
        let document = format!("{{ {field}(last: 10000) {{ nodes {{ raw }} }} }}");
        let nodes = self.nodes(field, &document, count);
        nodes.iter().map(|node| node["raw"].as_str().unwrap().to_owned()).collect()
    }

    /// Positions and bytes of all messages of a topic, oldest first, page by page.
    pub(crate) fn stored(&self, stream: &str, topic: &str) -> Vec<(String, String)> {
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let document = format!(
                "query($after: PageCursor) {{ {stream}(topic: \"{topic}\", first: 2000, after: $after) \
                 {{ nodes {{ position raw }} pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let answer = self.graphql_answer(&document, &json!({ "after": after })).expect(200).json();
            let page = &answer["data"][stream];
            let nodes = page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
            let text = |node: &Value, key: &str| node[key].as_str().unwrap().to_owned();
            all.extend(nodes.iter().map(|node| (text(node, "position"), text(node, "raw"))));
            if page["pageInfo"]["hasNextPage"] != true {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

/// Asks for a token by a header of the scheme Basic; `more` is further parameters.
pub(crate) fn ask_for_token(address: SocketAddr, id: &str, secret: &str, more: &str) -> Answer {
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    Request::new("POST", "/oauth/token")
        .header("Authorization", &format!("Basic {pair}"))
        .body("application/x-www-form-urlencoded", format!("grant_type=client_credentials{more}"))
        .send(address)
}

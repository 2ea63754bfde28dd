//! The issuer's routes over real HTTP: the flow from client to principal, and what is refused on the way.

#![expect(clippy::unwrap_used, reason = "helpers of tests may end the test")]

mod http;

use access::{
    Access, AuthError, ClientSettings, Context, Credentials, Denied, Development, Issuer, IssuerSettings,
    Policy, Role, Signed, Trust, resolve_clients,
};
use axum::extract::FromRef;
use axum::routing::get;
use axum::{Router, middleware};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use schema::{Clock, Timestamp};
use std::sync::Arc;
use store::embedded::Embedded;

use http::{Answer, Server};

const SECRET: &str = "a+b/c%d:0123456789";

#[derive(Clone)]
struct App(Access);

impl FromRef<App> for Access {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

async fn whoami(Signed(caller): Signed) -> Result<String, AuthError> {
    if !caller.roles().contains(Role::Read) {
        return Err(Denied::MissingRole(Role::Read).into());
    }
    Ok(format!("{} {} {}", caller.subject(), caller.client_id(), caller.roles()))
}

struct Test {
    server: Server,
    context: Context,
    _dir: tempfile::TempDir,
}

async fn start() -> Test {
    let dir = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let clients = [("reader", Role::Read), ("writer", Role::Write)].map(|(id, role)| ClientSettings {
        id: id.into(),
        secret_env: "SECRET".into(),
        roles: vec![role.as_str().into()],
    });
    let clients = resolve_clients(&clients, &Policy::default(), |_| Some(SECRET.into())).unwrap();
    let clock: Clock = Arc::new(|| Timestamp(1_600_000_000_000_000));
    let store = Arc::new(Embedded::open(&dir.path().join("store"), Default::default()).unwrap());
    let credentials =
        Credentials::open(store, Default::default(), Arc::default(), clock.clone()).await.unwrap();
    let trust = Trust { credentials: Some(credentials), ..Trust::default() };
    let issuer =
        Issuer::open(dir.path(), &url, IssuerSettings::default(), clients, Development::On, trust, clock)
            .unwrap();
    let origins = access::origin::Origins::new(&[], &url, Development::On).unwrap();
    let app = Router::new()
        .route("/whoami", get(whoami))
        .with_state(App(issuer.access()))
        .merge(issuer.router())
        .layer(middleware::from_fn_with_state(Arc::new(origins), access::origin::guard))
        .layer(middleware::from_fn(access::host::loopback_only));
    let context = Context::load(dir.path()).unwrap().unwrap();
    Test { server: Server::start(listener, app), context, _dir: dir }
}

impl Test {
    async fn token(&self, headers: &[(&str, &str)], form: &str) -> Answer {
        let headers = [headers, &[("content-type", "application/x-www-form-urlencoded")]].concat();
        self.server.send("POST", "/oauth/token", &headers, form).await
    }

    async fn development_token(&self) -> String {
        let Context { client_id, client_secret, .. } = &self.context;
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={}",
            client_secret.expose()
        );
        self.token(&[], &form).await.text("access_token")
    }

    async fn revoke(&self, form: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.server.send("POST", "/oauth/revoke", &headers, form).await
    }

    async fn bearer(&self, method: &str, path: &str, token: &str) -> Answer {
        self.server.send(method, path, &[("authorization", &format!("Bearer {token}"))], "").await
    }

    async fn redeem(&self, code: &str) -> Answer {
        self.server.send("POST", "/oauth/code", &[], &serde_json::json!({ "code": code }).to_string()).await
    }
}

#[tokio::test]
async fn what_is_found_out_leads_to_the_endpoints() {
    let test = start().await;
    let found = test.server.send("GET", "/.well-known/openid-configuration", &[], "").await;
    let metadata: CoreProviderMetadata = serde_json::from_str(&found.body).unwrap();
    assert_eq!(metadata.issuer().as_str(), test.context.url);
    assert_eq!(metadata.token_endpoint().unwrap().as_str(), test.context.token_endpoint);
    for part in [
        r#""grant_types_supported":["client_credentials"]"#,
        r#""token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]"#,
        &format!(r#""revocation_endpoint":"{}/oauth/revoke""#, test.context.url),
        r#""revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]"#,
        r#""scopes_supported":["data.read","data.write","data.admin"]"#,
        r#""id_token_signing_alg_values_supported":["EdDSA"]"#,
    ] {
        assert!(found.body.contains(part), "{part} in {}", found.body);
    }
    let keys = test.server.send("GET", "/oauth/jwks", &[], "").await;
    let set: CoreJsonWebKeySet = serde_json::from_str(&keys.body).unwrap();
    assert_eq!(set.keys().len(), 1);
    // Another library finds the same key, and it verifies.
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&keys.body).unwrap();
    let token = test.development_token().await;
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&["tidegate"]);
    let claims = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
    assert_eq!(claims["scope"], "data.read data.write data.admin");
    let authorize = test.server.send("GET", "/oauth/authorize?response_type=code", &[], "").await;
    assert_eq!((authorize.status, authorize.text("error").as_str()), (400, "unsupported_response_type"));
}

#[tokio::test]
async fn clients_get_what_they_may() {
    let test = start().await;
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    let raw = basic(format!("reader:{SECRET}"));
    let encoded = basic("reader:a%2Bb%2Fc%25d%3A0123456789".into());
    let wrong = basic("reader:a+b/c%d:012345678".into());
    let grant = "grant_type=client_credentials";
    let posted = format!("{grant}&client_id=reader&client_secret=a%2Bb%2Fc%25d%3A0123456789");
    for (authorization, form, status, expect) in [
        (Some(&raw), grant.to_owned(), 200, "data.read"),
        (Some(&encoded), grant.to_owned(), 200, "data.read"),
        (None, posted.clone(), 200, "data.read"),
        (None, format!("{posted}&scope=data.read"), 200, "data.read"),
        (None, format!("{posted}&scope=data.read+data.write"), 400, "invalid_scope"),
        (None, format!("{posted}&scope=openid"), 400, "invalid_scope"),
        (None, format!("{posted}&scope=+"), 400, "invalid_scope"),
        (None, posted.replace("client_credentials", "password"), 400, "unsupported_grant_type"),
        (None, posted.replace("grant_type", "grant"), 400, "invalid_request"),
        (None, format!("{posted}&{grant}"), 400, "invalid_request"),
        (Some(&raw), posted.clone(), 400, "invalid_request"),
        (Some(&wrong), grant.to_owned(), 401, "invalid_client"),
        (None, posted.replace("reader", "nobody"), 401, "invalid_client"),
        (None, format!("{posted}x"), 401, "invalid_client"),
        (None, grant.to_owned(), 401, "invalid_client"),
        (None, format!("{posted}&pad={}", "x".repeat(16 * 1024)), 413, "invalid_request"),
    ] {
        let headers: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = test.token(&headers, &form).await;
        let name = if status == 200 { "scope" } else { "error" };
        assert_eq!((answer.status, answer.text(name).as_str()), (status, expect), "{form:.200}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        if status == 200 {
            let token = answer.text("access_token");
            let who = test.bearer("GET", "/whoami", &token).await;
            assert_eq!((who.status, who.body.as_str()), (200, "reader reader data.read"));
        }
    }
    let form = posted.replace("reader", "writer");
    let token = test.token(&[], &form).await.text("access_token");
    let who = test.bearer("GET", "/whoami", &token).await;
    assert_eq!((who.status, who.text("error").as_str()), (403, "insufficient_scope"));
    assert!(who.header("www-authenticate").unwrap().contains("scope=\"data.read\""));
}

#[tokio::test]
async fn a_code_signs_the_page_in_once() {
    let test = start().await;
    let token = test.development_token().await;
    let minted = test.bearer("POST", "/oauth/codes", &token).await;
    assert!(minted.status == 200 && minted.body.contains("\"expires_in\":3600"), "{}", minted.body);
    let code = minted.text("code");
    assert!(code.len() >= 22);
    let page = test.redeem(&code).await;
    assert!(page.status == 200 && page.body.contains("\"expires_in\":43200"), "{}", page.body);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let page_token = page.text("access_token");
    let who = test.bearer("GET", "/whoami", &page_token).await;
    assert_eq!(who.body, "tidegate-dev tidegate-page data.read data.write data.admin");

    let again = test.redeem(&code).await;
    assert_eq!((again.status, again.text("error").as_str()), (400, "invalid_grant"));
    let odd = test.server.send("POST", "/oauth/code", &[], "{\"code\":7}").await;
    assert_eq!((odd.status, odd.text("error").as_str()), (400, "invalid_request"));

    // Neither the page nor a configured client gets codes, and nobody does without a token.
    assert_eq!(test.bearer("POST", "/oauth/codes", &page_token).await.status, 403);
    assert_eq!(test.server.send("POST", "/oauth/codes", &[], "").await.status, 401);
}

/// RFC 7009.
#[tokio::test]
async fn a_client_gives_its_own_tokens_up() {
    let test = start().await;
    let client = |id: &str| format!("client_id={id}&client_secret=a%2Bb%2Fc%25d%3A0123456789");
    let grant = format!("{}&grant_type=client_credentials", client("reader"));
    let (first, second) = (
        test.token(&[], &grant).await.text("access_token"),
        test.token(&[], &grant).await.text("access_token"),
    );
    let status = async |token: &str| test.bearer("GET", "/whoami", token).await.status;
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    for (form, expect, error) in [
        (format!("token={first}"), 401, "invalid_client"),
        (format!("{}&token={first}", client("reader").replace("0123", "3210")), 401, "invalid_client"),
        (client("reader"), 400, "invalid_request"),
        (format!("{}&token={first}", client("writer")), 400, "unauthorized_client"),
        (format!("{}&token=nonsense", client("reader")), 200, ""),
        (format!("{}&token={first}x", client("reader")), 200, ""),
    ] {
        let answer = test.revoke(&form).await;
        assert_eq!((answer.status, answer.text("error").as_str()), (expect, error), "{form}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(status(&first).await, 200, "{form}");
    }
    let form = format!("{}&token={first}&token_type_hint=refresh_token", client("reader"));
    for _ in 0..2 {
        let done = test.revoke(&form).await;
        assert_eq!((done.status, done.body.as_str()), (200, ""));
        let refused = test.bearer("GET", "/whoami", &first).await;
        assert_eq!((refused.status, refused.text("error").as_str()), (401, "invalid_token"));
        assert_eq!(refused.text("error_description"), nonsense(&test).await, "the answer of any bad token");
    }
    assert_eq!(status(&second).await, 200, "another of the same client");
}

async fn nonsense(test: &Test) -> String {
    test.bearer("GET", "/whoami", "nonsense").await.text("error_description")
}

#[tokio::test]
async fn requests_from_elsewhere_are_refused() {
    let test = start().await;
    for (headers, status, error) in [
        (vec![("host", "evil.example")], 421, "not_loopback"),
        (vec![("origin", "https://evil.example")], 403, "foreign_origin"),
    ] {
        let answer = test.token(&headers, "grant_type=client_credentials").await;
        assert_eq!((answer.status, answer.text("error").as_str()), (status, error));
    }
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer nonsense")], 401),
        (vec![("authorization", "Bearer a"), ("authorization", "Bearer b")], 400),
    ] {
        let answer = test.server.send("GET", "/whoami", &headers, "").await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm=\"tidegate\""));
    }
}

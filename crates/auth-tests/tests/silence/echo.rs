//! Answers that echo the secret, in every form.

use auth_core::{CachedTokenSource, Error, HttpClient, HttpRequest, HttpResponse, RetryPolicy};
use auth_sandbox::Provider;
use auth_tests::canary::forms::{FORMS, Form, is_a_servers, is_piece};
use auth_tests::canary::{Account, Canary, Hunt, Sort};
use auth_tests::flows::{ALL, AnyFlow, Shape, flow, variables};
use http::{HeaderValue, StatusCode};

use crate::Said;

/// The same answer for every request.
#[derive(Clone, Debug)]
struct Canned {
    status: u16,
    body: String,
    /// Of every header that is read.
    header: Option<HeaderValue>,
}

#[async_trait::async_trait]
impl HttpClient for Canned {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let mut answer = HttpResponse::new(self.body.clone().into());
        *answer.status_mut() = StatusCode::from_u16(self.status).unwrap();
        for name in ["location", "www-authenticate", "retry-after", "date"] {
            if let Some(value) = &self.header {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        Ok(answer)
    }
}

/// Every field that any of the five flows reads, with this text.
fn fields(text: &str) -> serde_json::Map<String, serde_json::Value> {
    let names = [
        "error",
        "error_description",
        "message",
        "reason",
        "detail",
        "description",
        "error_code",
        "soaCode",
        "title",
        "hint",
        "details",
        "request_id",
        "token_type",
        "tokenType",
        "valid_until",
        "expiresAt",
        "exp",
        "expires_in",
        "not-before-policy",
    ];
    names.into_iter().map(|name| (name.to_owned(), text.into())).collect()
}

/// The answers that contain a text.
fn answers(text: &str) -> Vec<Canned> {
    let mut answers = Vec::new();
    let prose = serde_json::Value::Object(fields(&format!("the value {text} is not right")));
    let word = serde_json::Value::Object(fields(text));
    let url = HeaderValue::from_str(&format!("https://{text}.example/{text}?s={text}")).ok();
    let nested = fields(&format!("sent {{\"client_secret\":\"{text}\",\"x\":1}}"));
    for (status, body) in [
        (401, prose.to_string()),
        (400, word.to_string()),
        (500, serde_json::Value::Object(nested).to_string()),
        (200, prose.to_string()),
        (403, text.to_owned()),
    ] {
        answers.push(Canned { status, body, header: None });
    }
    let mut granted = fields(text);
    for name in ["token", "access_token"] {
        granted.insert(name.to_owned(), text.into());
    }
    let granted = serde_json::Value::Object(granted).to_string();
    answers.push(Canned { status: 200, body: granted, header: None });
    // The secret as a key, and as a list.
    let key = serde_json::json!({ "errors": { text: [text] }, "message": [text], text: text });
    answers.push(Canned { status: 422, body: key.to_string(), header: None });
    if url.is_some() {
        answers.push(Canned { status: 302, body: String::new(), header: url.clone() });
        answers.push(Canned { status: 429, body: String::new(), header: url });
    }
    answers
}

/// The output for all flows, and one line for each form that shows.
pub(crate) async fn all() -> (Said, Vec<String>) {
    let (mut said, mut shown) = (Said::default(), Vec::new());
    let of_flow =
        |(provider, shape)| tokio::runtime::Handle::current().spawn(echoes(provider, shape));
    for task in ALL.map(of_flow) {
        let (own, leaks) = task.await.unwrap();
        said.add(own);
        shown.extend(leaks);
    }
    (said, shown)
}

async fn echoes(provider: Provider, shape: Shape) -> (Said, Vec<String>) {
    let (mut said, mut shown) = (Said::default(), Vec::new());
    let account = Account::new(provider, &format!("{shape:?}, echoes"));
    let flow = flow(provider, shape, variables(provider, &account.credentials)).unwrap().exchange;
    let hunt = Hunt::new(&account.canaries);
    for canary in &account.canaries {
        for form in FORMS.iter().filter(|form| is_echoed(form, canary)) {
            let texts = echoed(&flow, form, canary).await;
            if let Some(find) = hunt.find(&texts).first() {
                shown.push(format!("{}, {}: {find:?}", canary.name, form.name));
            }
            said.note(texts);
        }
    }
    said.canaries.extend(account.canaries);
    (said, shown)
}

/// Whether to echo this form: an identifier only counts as a whole.
fn is_echoed(form: &Form, canary: &Canary) -> bool {
    is_a_servers(form) && (canary.sort == Sort::Secret || !is_piece(form))
}

async fn echoed(flow: &AnyFlow, form: &Form, canary: &Canary) -> String {
    let mut said = Said::default();
    for answer in answers(&(form.write)(&canary.text)) {
        let source = CachedTokenSource::builder(flow.clone())
            .http_client(answer)
            .retry_policy(RetryPolicy::never())
            .build()
            .unwrap();
        match source.token().await {
            Ok(token) => said.note(format!("{token:?} {token:#?} {:?}", token.authorization())),
            Err(error) => said.error(&error),
        }
    }
    said.text
}

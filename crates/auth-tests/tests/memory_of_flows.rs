//! The five flows leave no copy of a secret or a token in memory, for anything that they read,
//! refuse or drop: the process searches its own memory.
//!
//! One test in its own process, on Linux: other tests would leave copies too.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

use std::time::Duration;

use auth_core::secret::WipedBuffer;
use auth_core::{
    CachedTokenSource, Endpoint, Env, Error, HttpClient, RetryPolicy, SecretString, TokenExchange,
    async_trait,
};
use auth_tests::memory::{Hidden, Search};
use bytes::Bytes;
use tokio::runtime::Runtime;

const SECRET: Hidden = Hidden::new(3);
const TOKEN: Hidden = Hidden::new(11);
/// With its colon it is a multiple of three bytes, so the base64 of the secret after it begins a
/// group.
const ID: &str = "client-0001";
const ID_BASE64: &str = "Y2xpZW50LTAwMDE6";
const HOST: &str = "https://pay.example.com";

type Exchange = Box<dyn TokenExchange>;

/// A provider's flow, as this test needs it.
struct Flow {
    name: &'static str,
    /// The texts of its error bodies.
    texts: &'static [&'static str],
    /// Its successes, `~` for the token.
    grants: &'static [&'static str],
    /// Successes with swapped fields, which may be errors.
    swapped: &'static [&'static str],
    /// The variables of id and secret, and the other required ones.
    variables: [&'static str; 2],
    more: &'static [(&'static str, &'static str)],
    new: fn(SecretString) -> Result<Exchange, Error>,
    read_env: fn(&Env) -> Result<Exchange, Error>,
}

const FLOWS: [Flow; 5] = [
    Flow {
        name: "digitalpaye",
        texts: &["message", "reason"],
        grants: &[
            r#"{"statusCode":200,"message":"ok","data":{"token":"~","exp":1767229200}}"#,
            r#"{"code_status":200,"token":"~","exp":1767229200}"#,
        ],
        swapped: &[r#"{"data":{"token":"x y","exp":"~"},"message":"~"}"#],
        variables: ["DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET"],
        more: &[],
        new: |secret| {
            let credentials = digitalpaye_auth::Credentials::new(ID, secret)?;
            Ok(Box::new(digitalpaye_auth::Digitalpaye::new(credentials)))
        },
        read_env: |env| Ok(Box::new(digitalpaye_auth::Digitalpaye::read_env(env)?)),
    },
    Flow {
        name: "digishare",
        texts: &["error", "error_description", "message", "details", "hint", "request_id"],
        grants: &[r#"{"access_token":"~","token_type":"Bearer","expires_in":300}"#],
        swapped: &[r#"{"access_token":"Bearer","token_type":"~","expires_in":"~"}"#],
        variables: ["DIGISHARE_CLIENT_ID", "DIGISHARE_CLIENT_SECRET"],
        more: &[],
        new: |secret| {
            let credentials = digishare_auth::Credentials::new(ID, secret)?;
            Ok(Box::new(digishare_auth::Digishare::new(credentials)))
        },
        read_env: |env| Ok(Box::new(digishare_auth::Digishare::read_env(env)?)),
    },
    Flow {
        name: "tresorpay",
        texts: &["error", "error_description"],
        grants: &[
            r#"{"access_token":"~","expires_in":300,"token_type":"Bearer","not-before-policy":0,"refresh_token":"~"}"#,
        ],
        swapped: &[
            r#"{"access_token":"Bearer","token_type":"~","expires_in":300}"#,
            r#"{"access_token":"~","token_type":"Bearer","not-before-policy":"~"}"#,
        ],
        variables: ["TRESORPAY_CLIENT_ID", "TRESORPAY_CLIENT_SECRET"],
        more: &[("TRESORPAY_CLIENT_AUTH", "basic")],
        new: |secret| {
            let credentials = tresorpay_auth::Credentials::new(ID, secret)?;
            Ok(Box::new(tresorpay_auth::TresorPay::new(credentials)))
        },
        read_env: |env| Ok(Box::new(tresorpay_auth::TresorPay::read_env(env)?)),
    },
    Flow {
        name: "papaya",
        texts: &["error", "description", "error_code"],
        grants: &[r#"{"valid_until":"2099-07-11T07:48Z","token":"~","token_name":"n"}"#],
        swapped: &[r#"{"valid_until":"~","token":"~"}"#],
        variables: ["PAPAYA_API_KEY", "PAPAYA_CLIENT_SECRET"],
        more: &[("PAPAYA_ENVIRONMENT", "staging")],
        new: |secret| {
            let credentials = papaya_auth::Credentials::new(ID, secret)?;
            Ok(Box::new(papaya_auth::Papaya::staging(credentials)))
        },
        read_env: |env| Ok(Box::new(papaya_auth::Papaya::read_env(env)?)),
    },
    Flow {
        name: "manis",
        texts: &["soaCode", "detail", "message", "error", "title"],
        grants: &[r#"{"token":"~","tokenType":"Bearer","expiresAt":1767229200}"#],
        swapped: &[
            r#"{"token":"Bearer","tokenType":"~","expiresAt":1767229200}"#,
            r#"{"token":"~","tokenType":"Bearer","expiresAt":"~"}"#,
        ],
        variables: ["MANIS_MERCHANT_ID", "MANIS_SECRET"],
        more: &[("MANIS_BASE_URL", HOST)],
        new: |secret| {
            let credentials = manis_auth::Credentials::new(ID, secret)?;
            let endpoint = Endpoint::parse(HOST)?;
            Ok(Box::new(manis_auth::Manis::new(credentials, endpoint)))
        },
        read_env: |env| Ok(Box::new(manis_auth::Manis::read_env(env)?)),
    },
];

/// Kinds of error bodies: `FIELD` is each text field of the provider, `@` the secret, `#` its
/// base64 after the id, `PROSE` 2.5 KB of text.
const REFUSALS: &[(&str, &[&str])] = &[
    ("flat", &[r#"{"FIELD":"no client has the secret @ here"}"#, "\u{feff}{\"FIELD\":\"@\"}"]),
    ("a word", &[r#"{"FIELD":"@"}"#, r#"{"FIELD":"invalid_client@"}"#]),
    (
        "a code beside it",
        &[r#"{"error":"invalid_client","message":"UnauthorizedError","FIELD":"@"}"#],
    ),
    (
        "envelope",
        &[r#"{"statusCode":401,"FIELD":"x","data":{"FIELD":"@","token":"@"},"meta":[{"@":"@"}]}"#],
    ),
    (
        "the secret as a key",
        &[r#"{"@":"x","FIELD":"x"}"#, r#"{"FIELD":"x","errors":{"@":["@"],"b":["@"]}}"#],
    ),
    (
        "the same key twice",
        &[
            r#"{"FIELD":"first @","FIELD":"then @"}"#,
            r#"{"FIELD":{"@":"@"},"FIELD":"@","@":"@","@":1}"#,
        ],
    ),
    ("twice inside", &[r#"{"FIELD":"x","FIELD":"@","errors":{"@":["@"],"@":{"@":"@","@":"@"}}}"#]),
    ("an object in place of a text", &[r#"{"FIELD":{"@":"@","b":{"c":["@"]}}}"#]),
    ("a list in place of a text", &[r#"{"FIELD":["@",["@"],{"@":1}],"errors":["@"]}"#]),
    (
        "long prose",
        &[
            r#"{"error":"no @","message":"PROSE","hint":"PROSE","details":"PROSE."}"#,
            r#"{"FIELD":"PROSE@PROSE"}"#,
            r#"{"FIELD":"PROSE@ and @PROSE","FIELD":"@PROSE"}"#,
        ],
    ),
    ("two written forms", &[r#"{"FIELD":"Basic #, which is @"}"#, r#"{"FIELD":"@PROSEBasic #"}"#]),
    ("escapes that JSON does not know of", &[r#"{"FIELD":"%41@ &#65;@ and @"}"#]),
    ("HTML", &["<!DOCTYPE html><html><p>@</p></html>"]),
    (
        "no JSON",
        &["wrong secret: @", "@", r#""@""#, r#"["@"]"#, r#"[{"FIELD":"@"}]"#, r#"{"FIELD":"@"} @"#],
    ),
    (
        "truncated",
        &[
            r#"{"FIELD":"@"#,
            r#"{"FIELD":"@","#,
            r#"{"FIELD":"@","FIELD":"@"#,
            r#"{"FIELD":["@","@"#,
            r#"{"@"#,
        ],
    ),
    (
        "Latin-1",
        &["{\"FIELD\":\"@ refus\u{fffd}\"}", "{\"FIELD\":\"\u{fffd}\",\"FIELD\":\"@\",\"@\":\"@"],
    ),
    ("too deep", &[r#"{"FIELD":"@","x":DEEP,"FIELD":"@"}"#]),
    ("an escaped text", &[r#"{"FIELD":"the secret \"@\" is wrong"}"#]),
    ("an escaped key", &[r#"{"\"@\"":"x","FIELD":"x"}"#]),
];

/// How many copies may be left: none, except for these.
const LEFT: &[(&str, usize)] = &[
    // serde_json undoes escapes in a private buffer, which cannot be wiped from outside: one copy
    // for each answer, two if it grows. Digishare's 6 texts with 3 statuses, twice over, are 36
    // answers; Digitalpaye's 2 successes are 4. The allocator overwrites most of them.
    ("an escaped text", 72),
    ("an escaped key", 72),
    ("success, escaped token", 4),
];

/// Answers with a template, or never without one.
#[derive(Debug)]
struct Canned(Option<(u16, String)>);

#[async_trait]
impl HttpClient for Canned {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let Some((status, template)) = &self.0 else { std::future::pending().await };
        let mut response = http::Response::new(filled(template).into_bytes());
        *response.status_mut() = http::StatusCode::from_u16(*status).unwrap();
        let headers = response.headers_mut();
        headers.insert("date", "Thu, 01 Jan 2026 00:00:00 GMT".parse().unwrap());
        if response.status().is_redirection() {
            // Longer than the text made of it, which would otherwise be allocated in its place.
            let location = format!("https://evil.example\\x/{}?secret=@", "a".repeat(400));
            let location = filled(&location).into_header().unwrap();
            response.headers_mut().insert("location", location);
        }
        Ok(response)
    }
}

/// A template with secret and token in place, in memory that is wiped.
fn filled(template: &str) -> WipedBuffer {
    let mut body = WipedBuffer::default();
    for c in template.chars() {
        match c {
            '@' => SECRET.write(&mut body),
            '~' => TOKEN.write(&mut body),
            '#' => {
                body.extend_from_slice(ID_BASE64.as_bytes());
                SECRET.write_base64(&mut body);
            }
            '\u{fffd}' => body.extend_from_slice(b"\xe9"),
            c => body.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    body
}

/// The searches and their results.
struct Counts {
    search: Search,
    runtime: Runtime,
    rows: Vec<(String, [usize; 2])>,
}

impl Counts {
    /// Counts the copies that `work` leaves behind in addition to those before it.
    fn count(&mut self, what: String, work: impl Fn(&Runtime)) {
        /// Repetitions, since the allocator reuses some of the freed blocks at once.
        const TIMES: usize = 2;
        let before = self.search.copies([SECRET, TOKEN]);
        let mut aside = Vec::with_capacity(TIMES * SIZES * EACH);
        for _ in 0..TIMES {
            work(&self.runtime);
            set_aside(&mut aside);
        }
        let after = self.search.copies([SECRET, TOKEN]);
        for memory in &mut aside {
            memory.resize(memory.capacity(), 0); // for the next count
        }
        let left = [0, 1].map(|at| after[at].saturating_sub(before[at]));
        self.rows.push((what, left));
    }

    fn ask(runtime: &Runtime, exchange: Exchange, status: u16, body: &str) -> bool {
        let source = CachedTokenSource::builder(exchange)
            .http_client(Canned(Some((status, body.to_owned()))))
            .retry_policy(RetryPolicy::never())
            .build()
            .unwrap();
        let asked = runtime.block_on(source.token());
        asked.is_ok()
    }
}

const SIZES: usize = 80;
const EACH: usize = 8;

/// Allocates the freed blocks without overwriting them, so that the next round uses other memory.
fn set_aside(aside: &mut Vec<Vec<u8>>) {
    for size in 0..SIZES {
        aside.extend((0..EACH).map(|_| Vec::with_capacity(24 + 16 * size)));
    }
}

#[test]
fn no_flow_leaves_a_copy_of_a_secret_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut counts = Counts { search: Search::new(), runtime, rows: Vec::new() };
    counts.count("a copy that nobody wipes".to_owned(), |_| drop(SECRET.string()));
    assert!(counts.rows.pop().unwrap().1[0] > 0, "the search does not find freed memory");
    for flow in &FLOWS {
        refusals(flow, &mut counts);
        grants(flow, &mut counts);
        credentials(flow, &mut counts);
    }
    pasted(&mut counts);
    let mut wrong = Vec::new();
    for (what, left) in &counts.rows {
        println!("{left:?} of secret and token: {what}");
        let named = LEFT.iter().find(|(named, _)| what.ends_with(named));
        if left.iter().any(|left| *left > named.map_or(0, |(_, most)| *most)) {
            wrong.push(format!("{left:?}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "secret and token are left:\n{}", wrong.join("\n"));
    for (named, _) in LEFT {
        let mut rows = counts.rows.iter().filter(|(what, _)| what.ends_with(named));
        assert!(
            rows.any(|(_, left)| *left != [0, 0]),
            "{named}: leaves no copy any more, so remove the exception"
        );
    }
}

/// All kinds of error bodies, with all kinds of status.
fn refusals(flow: &Flow, counts: &mut Counts) {
    let prose = "the client is not known ".repeat(104);
    let deep = format!("{}\"@\"{}", "[".repeat(200), "]".repeat(200));
    for (kind, bodies) in REFUSALS {
        counts.count(format!("{}: {kind}", flow.name), |runtime| {
            for body in *bodies {
                let body = body.replace("PROSE", &prose).replace("DEEP", &deep);
                let mut asked = Vec::new();
                for text in flow.texts {
                    let body = body.replace("FIELD", text);
                    for status in [200, 401, 500] {
                        if !asked.contains(&(status, body.clone())) {
                            let exchange = (flow.new)(SECRET.secret()).unwrap();
                            assert!(!Counts::ask(runtime, exchange, status, &body), "{body}");
                            asked.push((status, body.clone()));
                        }
                    }
                }
            }
        });
    }
    counts.count(format!("{}: redirect", flow.name), |runtime| {
        let exchange = (flow.new)(SECRET.secret()).unwrap();
        assert!(!Counts::ask(runtime, exchange, 302, "@"));
    });
}

/// Successes, valid and nearly valid.
fn grants(flow: &Flow, counts: &mut Counts) {
    let ask = |runtime: &Runtime, body: &str| {
        let exchange = (flow.new)(SECRET.secret()).unwrap();
        Counts::ask(runtime, exchange, 200, body)
    };
    let each = |runtime: &Runtime, is_granted: bool, change: &dyn Fn(&str) -> String| {
        for grant in flow.grants {
            assert_eq!(ask(runtime, &change(grant)), is_granted, "{}", change(grant));
        }
    };
    let name = flow.name;
    counts.count(format!("{name}: success"), |runtime| each(runtime, true, &|grant| grant.into()));
    counts.count(format!("{name}: success, escaped token"), |runtime| {
        each(runtime, true, &|grant| grant.replace('~', r"\/~"));
    });
    counts.count(format!("{name}: success with an invalid token"), |runtime| {
        for token in ["~ ~", "Bearer ~", "<~>", ""] {
            each(runtime, false, &|grant| grant.replace('~', token));
        }
        for token in [r#"{"a":"~","~":1}"#, r#"["~"]"#, "7", "true"] {
            each(runtime, false, &|grant| grant.replacen(r#""~""#, token, 1));
        }
    });
    counts.count(format!("{name}: success, truncated or spoilt"), |runtime| {
        each(runtime, false, &|grant| grant.split_inclusive('~').next().unwrap().to_owned());
        each(runtime, false, &|grant| grant.strip_suffix('}').unwrap().to_owned());
        each(runtime, false, &|grant| format!("{grant} ~"));
        each(runtime, false, &|grant| {
            grant.replacen(r#""~""#, r#""~","token":"~","access_token":"~""#, 1)
        });
        each(runtime, false, &|grant| format!("[{grant}]"));
        each(runtime, false, &|grant| grant.replacen('~', "~\u{fffd}", 1));
    });
    counts.count(format!("{name}: success with swapped fields"), |runtime| {
        for body in flow.swapped {
            ask(runtime, body);
        }
    });
}

/// Credentials from every source, replaced and dropped at every time.
fn credentials(flow: &Flow, counts: &mut Counts) {
    let name = flow.name;
    let [id, secret] = flow.variables;
    let twin = format!("{secret}_FILE");
    let env = |pairs: Vec<(&str, String)>| {
        let own = flow.more.iter().copied().chain([(id, ID)]);
        Env::from_pairs(own.map(|(name, value)| (name, value.to_owned())).chain(pairs))
    };
    let grant = flow.grants.first().unwrap();
    counts.count(format!("{name}: credentials from pairs"), |runtime| {
        let env = env(vec![(secret, SECRET.string())]);
        let exchange = (flow.read_env)(&env).unwrap();
        drop(env);
        assert!(Counts::ask(runtime, exchange, 200, grant));
    });
    counts.count(format!("{name}: credentials from pairs that are refused"), |_| {
        for spoilt in ["\n", "\u{200b}", "\0"] {
            let env = env(vec![(secret, SECRET.string() + spoilt)]);
            assert!((flow.read_env)(&env).is_err());
        }
        let env = env(vec![(secret, SECRET.string()), (&twin, SECRET.string())]);
        assert!((flow.read_env)(&env).is_err());
    });
    let path = std::env::temp_dir().join(format!("auth-memory-{}-{name}", std::process::id()));
    for (content, is_taken) in [("@\n", true), ("@\n\n", false), ("@\u{fffd}", false)] {
        std::fs::write(&path, filled(content).as_slice()).unwrap();
        counts.count(format!("{name}: credentials from a file of {content:?}"), |runtime| {
            let env = env(vec![(&twin, path.to_str().unwrap().to_owned())]);
            let exchange = (flow.read_env)(&env);
            assert_eq!(exchange.is_ok(), is_taken);
            if let Ok(exchange) = exchange {
                assert!(Counts::ask(runtime, exchange, 200, grant));
            }
        });
    }
    std::fs::remove_file(path).unwrap();
    counts.count(format!("{name}: credentials that are refused"), |_| {
        for spoilt in ["@\n", " @", "@\u{200b}"] {
            let text = filled(spoilt);
            let text = SecretString::from(std::str::from_utf8(text.as_slice()).unwrap());
            assert!((flow.new)(text).is_err());
        }
    });
    let other = || (flow.new)("another-made-up-secret".into()).unwrap();
    let built = |canned| {
        let source = CachedTokenSource::builder((flow.new)(SECRET.secret()).unwrap());
        source.http_client(Canned(canned)).build().unwrap()
    };
    counts.count(format!("{name}: replace, before and after a token"), |runtime| {
        let source = built(Some((200, (*grant).to_owned())));
        source.replace_exchange((flow.new)(SECRET.secret()).unwrap()).unwrap();
        runtime.block_on(source.token()).unwrap();
        source.replace_exchange((flow.new)(SECRET.secret()).unwrap()).unwrap();
        source.replace_exchange(other()).unwrap();
        runtime.block_on(source.token()).unwrap();
    });
    counts.count(format!("{name}: replace after a refusal"), |runtime| {
        let source = built(Some((401, r#"{"error":"@","message":"@"}"#.to_owned())));
        let error = runtime.block_on(source.token()).unwrap_err();
        source.replace_exchange(other()).unwrap();
        drop(source);
        drop(error);
    });
    counts.count(format!("{name}: replace and drop during a request"), |runtime| {
        runtime.block_on(async {
            let source = built(None);
            for _ in 0..2 {
                // The caller leaves, and the flight continues.
                let asked = tokio::time::timeout(Duration::from_millis(1), source.token());
                assert!(asked.await.is_err());
                source.replace_exchange(other()).unwrap();
                tokio::task::yield_now().await;
                source.replace_exchange((flow.new)(SECRET.secret()).unwrap()).unwrap();
            }
            drop(source);
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
    });
    // One copy of each while they are held.
    let before = counts.search.copies([SECRET, TOKEN]);
    let mut held = || {
        let now = counts.search.copies([SECRET, TOKEN]);
        [0, 1].map(|at| now[at].saturating_sub(before[at]))
    };
    let source = built(Some((200, (*grant).to_owned())));
    let token = counts.runtime.block_on(source.token()).unwrap();
    assert_eq!(held(), [1, 1], "{name}");
    source.replace_exchange(other()).unwrap();
    assert_eq!(held(), [0, 1], "{name}: replaced");
    drop((source, token));
    assert_eq!(held(), [0, 0], "{name}: dropped");
}

/// Digishare's pasted token.
fn pasted(counts: &mut Counts) {
    const NAME: &str = "DIGISHARE_PERSONAL_ACCESS_TOKEN";
    counts.count("digishare: a pasted token".to_owned(), |runtime| {
        let env = Env::from_pairs([(NAME, TOKEN.string())]);
        let source = digishare_auth::source_read_env(&env).unwrap();
        runtime.block_on(source.token()).unwrap();
        let env = Env::from_pairs([(NAME, TOKEN.string() + "<")]);
        assert!(digishare_auth::source_read_env(&env).is_err());
    });
}

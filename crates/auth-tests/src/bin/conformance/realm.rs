//! The realms imported into Keycloak: one client for each case.

use serde_json::{Value, json};

/// The secret of every client except those in [`ODD`].
pub(crate) const SECRET: &str = "made-up-secret-0001";
/// Ids and secrets with characters that must be encoded.
pub(crate) const ODD: [(&str, &str); 4] = [
    ("colon:plus+percent%41", "a:b+c%20d&e=f made-up"),
    ("café-client", "pässwörd-made-up-0002"),
    ("sp ace&amp=1", "\"quoted\\made-up\"/=?"),
    ("slash/client", "k3J9/x2Vq/7Lw==made-up"),
];

/// The file for Keycloak's import folder: name and content.
pub(crate) fn files() -> Vec<(String, Value)> {
    let mut clients = vec![
        client("client-0001", json!({})),
        lives("lives-20", 20),
        lives("lives-300", 300),
        client("rotated", json!({})),
        client("disabled", json!({"enabled": false})),
        client("public", json!({"publicClient": true, "serviceAccountsEnabled": false})),
        client("bearer", json!({"bearerOnly": true, "serviceAccountsEnabled": false})),
        client("no-service", json!({"serviceAccountsEnabled": false})),
        client("jwt", json!({"clientAuthenticatorType": "client-jwt"})),
        client("dpop", json!({"attributes": {"dpop.bound.access.tokens": "true"}})),
        method("basic-only", "client_secret_basic"),
        method("form-only", "client_secret_post"),
    ];
    clients.extend(ODD.map(|(id, secret)| client(id, json!({"secret": secret}))));
    let scope = json!([{"name": "tresorpay", "protocol": "openid-connect"}]);
    [("tresorpay", "none", true), ("switched-off", "none", false), ("https-only", "all", true)]
        .map(|(name, ssl, enabled)| {
            let realm = json!({
                "realm": name, "enabled": enabled, "sslRequired": ssl,
                "accessTokenLifespan": 300, "clientScopes": scope, "clients": clients,
            });
            (format!("{name}.json"), realm)
        })
        .into()
}

fn client(id: &str, changes: Value) -> Value {
    let mut client = json!({
        "clientId": id, "secret": SECRET, "enabled": true, "protocol": "openid-connect",
        "clientAuthenticatorType": "client-secret", "publicClient": false,
        "serviceAccountsEnabled": true, "standardFlowEnabled": false,
        "optionalClientScopes": ["tresorpay"],
    });
    if let (Some(client), Value::Object(changes)) = (client.as_object_mut(), changes) {
        client.extend(changes);
    }
    client
}

fn lives(id: &str, seconds: u32) -> Value {
    client(id, json!({"attributes": {"access.token.lifespan": seconds.to_string()}}))
}

fn method(id: &str, method: &str) -> Value {
    client(id, json!({"attributes": {"client.secret.authentication.allowed.method": method}}))
}

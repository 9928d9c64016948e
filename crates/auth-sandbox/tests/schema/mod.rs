//! As much of JSON Schema as the control API's document uses.

use serde_json::{Map, Value, json};

/// Checks a value; `Err` says what does not fit.
pub(crate) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.trim_start_matches('#')).ok_or(name)?;
        return check(document, target, value);
    }
    let one_of = schema["oneOf"].as_array();
    if let Some(all) = one_of {
        let fitting = all.iter().filter(|one| check(document, one, value).is_ok()).count();
        return if fitting == 1 { Ok(()) } else { Err(format!("{value}: {fitting} of oneOf fit")) };
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is a type that this checker does not know"),
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::String(kind) => is(kind),
        kinds => kinds.as_array().unwrap().iter().any(|kind| is(kind.as_str().unwrap())),
    };
    if !fits {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item)?;
    }
    let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing in {value}"));
        }
    }
    for (name, member) in members {
        let schema = known.get(name).ok_or_else(|| format!("{name} is not described"))?;
        check(document, schema, member).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

/// A value with the required members of an object's schema.
pub(crate) fn sample(schema: &Value) -> Value {
    let required = schema["required"].as_array().unwrap();
    let members = required.iter().map(|name| {
        let name = name.as_str().unwrap();
        let member = &schema["properties"][name];
        let value = match (&member["const"], member["type"].as_str()) {
            (Value::Null, Some("string")) => json!("x"),
            (Value::Null, _) => member["minimum"].as_i64().map_or(3, |least| least + 3).into(),
            (value, _) => value.clone(),
        };
        (name.to_owned(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

//! The published document of the interface: OpenAPI 3.1, made from the table of operations.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::problem::Written;
use crate::route::{Needs, Route, of};
use crate::routes;

/// The document, as it is checked in and served.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let problem = of::<Written>(&mut generator);
    let mut paths: Map<String, Value> = Map::new();
    for (group, route) in routes::all() {
        let mut operation = operation(&route, &mut generator);
        operation["tags"] = json!([group]);
        for (status, about) in troubles(&route) {
            operation["responses"][status] = json!({
                "description": about,
                "content": { "application/problem+json": { "schema": problem } },
            });
        }
        let method = route.method.as_str().to_lowercase();
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method] = operation;
    }
    let schemas: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Fathom",
            "version": "1",
            "description": "Inspects virtual machines, and tells what is known to be wrong with them.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": routes::GROUPS
            .iter()
            .map(|(name, about)| json!({ "name": name, "description": about }))
            .collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer",
                    "description": "A token of `fathom token create`, of a login, or of the provider \
                        of identities that the service trusts." },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut schemars::SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "minLength": 1 } })
        })
        .collect();
    for parameter in &route.parameters {
        parameters.push(json!({ "name": parameter.name, "in": "query", "required": false,
            "description": parameter.about, "schema": (parameter.schema)() }));
    }
    let mut responses = Map::new();
    for reply in &route.replies {
        let mut response = json!({ "description": reply.about });
        let schema = match reply.shape {
            Some(shape) => Some(shape(generator).to_value()),
            None if reply.kind == "application/json" => None,
            // That of each event.
            None if reply.kind == "text/event-stream" => Some(json!({
                "type": "object", "required": ["event", "data"],
                "properties": { "id": { "type": "string" }, "data": { "type": "string" },
                    "event": { "type": "string", "enum": ["progress", "status"] } },
            })),
            None => Some(json!({ "type": "string" })),
        };
        if let Some(schema) = schema {
            response["content"] = json!({ reply.kind: { "schema": schema } });
        }
        responses.insert(reply.status.to_string(), response);
    }
    let security = match route.needs {
        Needs::Nothing => json!([]),
        Needs::Role(_) => json!([{ "token": [] }]),
    };
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.about,
        "parameters": parameters,
        "responses": responses,
        "security": security,
    });
    if let Needs::Role(role) = route.needs {
        operation["x-role"] = json!(role.as_str());
    }
    if let Some(shape) = route.body {
        let mut media = json!({ "schema": shape(generator) });
        if let Some(example) = route.example {
            media["example"] = example();
        }
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": media } });
    }
    operation
}

/// What may be wrong with every request of this kind.
fn troubles(route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut troubles = vec![("400", "The request makes no sense.")];
    troubles.extend(&route.troubles);
    if let Needs::Role(_) = route.needs {
        troubles.push(("401", "There is no token that counts."));
        troubles.push(("403", "The caller may not."));
        troubles.push(("429", "Too many requests."));
    }
    if route.path.contains('{') {
        troubles.push(("404", "There is no such thing, or the caller may not see it."));
        troubles.push(("409", "It stands where this cannot be done."));
    }
    if route.method != axum::http::Method::GET {
        troubles.push(("409", "It stands where this cannot be done, or is in use."));
    }
    if route.body.is_some() {
        troubles.push(("413", "It is too large."));
        troubles.push(("415", "It is no JSON."));
    }
    troubles.push(("503", "The service cannot do it at the moment."));
    troubles
}

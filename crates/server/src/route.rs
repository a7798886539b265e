//! What an operation is: one entry says all.

use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{Schema, SchemaGenerator};

use crate::access::Role;
use crate::service::Service;

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Whoever reaches the service.
    Nothing,
    /// Whoever has this role, or one above it.
    Role(Role),
}

/// Makes the schema of a type.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Something that an operation answers.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) shape: Option<Shape>,
}

/// Something that stands behind the question mark or in a header.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) schema: fn() -> serde_json::Value,
}

/// An operation.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: Needs,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Shape>,
    /// A body to begin with.
    pub(crate) example: Option<fn() -> serde_json::Value>,
    /// What may be wrong besides what may be with all of its kind.
    pub(crate) troubles: Vec<(&'static str, &'static str)>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) handler: MethodRouter<Service>,
}

impl Route {
    fn new<H, T>(method: Method, path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Service>,
        T: 'static,
    {
        let filter = match method {
            Method::POST => MethodFilter::POST,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        Self {
            method,
            path,
            id,
            about: "",
            // Nobody, unless something else is said.
            needs: Needs::Role(Role::Admin),
            parameters: Vec::new(),
            body: None,
            example: None,
            troubles: Vec::new(),
            replies: Vec::new(),
            handler: on(filter, handler),
        }
    }

    pub(crate) fn get<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Service>,
        T: 'static,
    {
        Self::new(Method::GET, path, id, handler)
    }

    pub(crate) fn post<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Service>,
        T: 'static,
    {
        Self::new(Method::POST, path, id, handler)
    }

    pub(crate) fn delete<H, T>(path: &'static str, id: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Service>,
        T: 'static,
    {
        Self::new(Method::DELETE, path, id, handler)
    }

    #[must_use]
    pub(crate) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    #[must_use]
    pub(crate) fn needs(mut self, role: Role) -> Self {
        self.needs = Needs::Role(role);
        self
    }

    #[must_use]
    pub(crate) fn for_all(mut self) -> Self {
        self.needs = Needs::Nothing;
        self
    }

    #[must_use]
    pub(crate) fn parameter(
        mut self,
        name: &'static str,
        about: &'static str,
        schema: fn() -> serde_json::Value,
    ) -> Self {
        self.parameters.push(Parameter { name, about, schema });
        self
    }

    /// It answers a page, and says where the next one begins ([`crate::parameters::Parameters::page`]).
    #[must_use]
    pub(crate) fn paged(self) -> Self {
        self.limited().parameter(
            "cursor",
            "Where the page before ended.",
            || serde_json::json!({ "type": "string", "pattern": "^[0-9]{1,18}$" }),
        )
    }

    /// The same where a cursor is more than a number; what it says is nobody's business but ours.
    #[must_use]
    pub(crate) fn paged_by_text(self) -> Self {
        self.limited().parameter(
            "cursor",
            "Where the page before ended.",
            || serde_json::json!({ "type": "string", "minLength": 1 }),
        )
    }

    fn limited(self) -> Self {
        self.parameter(
            "limit",
            "How many at most; the service may give fewer.",
            || serde_json::json!({ "type": "integer", "minimum": 1, "default": 50 }),
        )
    }

    #[must_use]
    pub(crate) fn takes(mut self, shape: Shape) -> Self {
        self.body = Some(shape);
        self
    }

    #[must_use]
    pub(crate) fn example(mut self, example: fn() -> serde_json::Value) -> Self {
        self.example = Some(example);
        self
    }

    #[must_use]
    pub(crate) fn trouble(mut self, status: &'static str, about: &'static str) -> Self {
        self.troubles.push((status, about));
        self
    }

    #[must_use]
    pub(crate) fn replies(
        mut self,
        status: u16,
        about: &'static str,
        shape: Option<Shape>,
    ) -> Self {
        self.replies.push(Reply { status, about, kind: "application/json", shape });
        self
    }

    #[must_use]
    pub(crate) fn streams(mut self, status: u16, about: &'static str, kind: &'static str) -> Self {
        self.replies.push(Reply { status, about, kind, shape: None });
        self
    }
}

/// The schema of a type, for [`Route::takes`] and [`Route::replies`].
pub(crate) fn of<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

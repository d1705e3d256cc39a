//! The form of bodies and answers for the document, by the types that are read and written. Floor: edge.

use std::borrow::Cow;

use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, ToSchema};

/// What a type looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// A reference to it among the document's components.
    pub(super) fn reference(&self) -> Ref {
        Ref::from_schema_name((self.name)())
    }

    /// It and what it is made of, for the components.
    pub(super) fn put_into(&self, components: &mut Vec<(String, RefOr<Schema>)>) {
        components.push(((self.name)().into_owned(), (self.schema)()));
        (self.parts)(components);
    }
}

/// An object that says itself what it is.
pub(super) const ANYTHING: Shape = Shape {
    name: || Cow::Borrowed("Document"),
    schema: || ObjectBuilder::new().schema_type(Type::Object).into(),
    parts: |_| {},
};

pub(super) const fn of<T: ToSchema>() -> Shape {
    Shape { name: T::name, schema: T::schema, parts: T::schemas }
}

/// What a type takes from the query.
pub(super) fn query<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Query))
}

/// Nothing is taken from the query.
pub(super) fn no_query() -> Vec<Parameter> {
    Vec::new()
}

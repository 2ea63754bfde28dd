//! The same rows and fields through async-graphql: with types known when it is compiled, and with types known at run time,
//! each from rows that are parsed once into trees or structures, as such a server would.

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, Object, Schema as Dynamic, TypeRef};
use async_graphql::{EmptyMutation, EmptySubscription, Object as Resolvers, Schema, SimpleObject, Value};
use schema::Message;
use serde::Deserialize;

const QUERY: &str = "{ nodes { data { reading { temperature pressure status ok } device { name } } } }";

#[derive(Clone, Deserialize, SimpleObject)]
struct Reading {
    temperature: f64,
    pressure: i64,
    status: String,
    ok: bool,
}

#[derive(Clone, Deserialize, SimpleObject)]
struct Device {
    name: String,
}

#[derive(Clone, Deserialize, SimpleObject)]
struct Data {
    reading: Reading,
    device: Device,
}

#[derive(Clone, SimpleObject)]
struct Node {
    data: Data,
}

pub struct Query(Vec<Vec<u8>>);

#[Resolvers]
impl Query {
    async fn nodes(&self) -> Vec<Node> {
        let node = |raw: &Vec<u8>| Node { data: serde_json::from_slice(raw).expect("good JSON") };
        self.0.iter().map(node).collect()
    }
}

pub fn static_types(rows: &[Message]) -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query(rows.iter().map(|row| row.raw.to_vec()).collect()), EmptyMutation, EmptySubscription)
}

pub async fn run_static(schema: &Schema<Query, EmptyMutation, EmptySubscription>) -> usize {
    let response = schema.execute(QUERY).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    serde_json::to_vec(&response).expect("JSON").len()
}

pub fn dynamic_types(rows: &[Message]) -> Dynamic {
    let rows: Vec<Vec<u8>> = rows.iter().map(|row| row.raw.to_vec()).collect();
    let object = |name: &str, fields: &[(&'static str, &str)]| {
        fields.iter().fold(Object::new(name), |object, (field, ty)| object.field(member(field, ty)))
    };
    let reading = [("temperature", "Float"), ("pressure", "Int"), ("status", "String"), ("ok", "Boolean")];
    let nodes = Field::new("nodes", TypeRef::named_list("Node"), move |_| {
        let parse = |raw: &Vec<u8>| {
            let data: serde_json::Value = serde_json::from_slice(raw).expect("good JSON");
            let value = Value::from_json(serde_json::json!({ "data": data })).expect("a value");
            FieldValue::owned_any(value)
        };
        let nodes: Vec<FieldValue<'_>> = rows.iter().map(parse).collect();
        FieldFuture::new(async move { Ok(Some(FieldValue::list(nodes))) })
    });
    Dynamic::build("Query", None, None)
        .register(object("Reading", &reading))
        .register(object("Device", &[("name", "String")]))
        .register(object("Data", &[("reading", "Reading"), ("device", "Device")]))
        .register(object("Node", &[("data", "Data")]))
        .register(Object::new("Query").field(nodes))
        .finish()
        .expect("a schema")
}

/// A member of the parent's value: scalars as they are, objects as parents of their own.
fn member(name: &'static str, ty: &str) -> Field {
    Field::new(name, TypeRef::named(ty), move |ctx| {
        FieldFuture::new(async move {
            let parent = ctx.parent_value.try_downcast_ref::<Value>()?;
            let Value::Object(members) = parent else { return Ok(None) };
            Ok(members.get(name).map(|value| match value {
                Value::Object(_) => FieldValue::owned_any(value.clone()),
                scalar => FieldValue::value(scalar.clone()),
            }))
        })
    })
}

pub async fn run_dynamic(schema: &Dynamic) -> usize {
    let response = schema.execute(QUERY).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    serde_json::to_vec(&response).expect("JSON").len()
}

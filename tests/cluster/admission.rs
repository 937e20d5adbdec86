//! Admission of a `CubeCredential`: refusals with their messages, valid objects, and defaults.

mod kubectl;
mod refusals;
mod schema;
mod valid;

use kube::{
    Api, Resource,
    api::{ApiResource, DynamicObject, PostParams},
};
use serde_json::{Value, json};

use crate::place::Place;
use cube_operator::api::CubeCredential;

/// Puts `fields` into `object`; null removes.
fn merge(object: &mut Value, fields: &Value) {
    let Some(fields) = fields.as_object() else {
        *object = fields.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    let object = object.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// A valid `CubeCredential` with these changes, and with this name.
fn changed(name: &str, change: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
    });
    merge(&mut object, change);
    object
}

/// Creates objects without storing them.
struct Admission {
    runtime: tokio::runtime::Runtime,
    api: Api<DynamicObject>,
}

impl Admission {
    fn new(place: &Place) -> Self {
        Self::of::<CubeCredential>(place)
    }

    fn of<K: Resource<DynamicType = ()>>(place: &Place) -> Self {
        let (runtime, client) = place.plane.client();
        let resource = ApiResource::erase::<K>(&());
        let api = Api::namespaced_with(client, &place.namespace, &resource);
        Self { runtime, api }
    }

    /// The same for a kind without namespaces.
    fn of_cluster<K: Resource<DynamicType = ()>>(place: &Place) -> Self {
        let (runtime, client) = place.plane.client();
        let api = Api::all_with(client, &ApiResource::erase::<K>(&()));
        Self { runtime, api }
    }

    /// The object as it would be stored, or the API server's message.
    fn create(&self, object: &Value) -> Result<Value, String> {
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match self.runtime.block_on(self.api.create(&dry_run, &object)) {
            Ok(stored) => Ok(serde_json::to_value(stored).unwrap()),
            Err(kube::Error::Api(status)) => Err(status.message),
            Err(error) => panic!("{error}"),
        }
    }
}

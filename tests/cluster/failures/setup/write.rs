//! Applies the objects of the rows, and changes them.

use std::{collections::BTreeMap, fmt::Debug};

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::api::Grant;
use futures::{StreamExt, stream};
use kube::{
    Api, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, TypeMeta},
    core::NamespaceResourceScope,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::{
    objects::Objects,
    row::{Repair, Row},
};

use super::{HOSTS, Setup};

impl Setup {
    /// The objects of a row without a fault.
    pub(in crate::failures) fn good(&self, row: &Row) -> Objects {
        let name = row.name;
        let secret = |kind: &str, data: Value| {
            json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {
                    "name": format!("row-{name}-{kind}"),
                    "labels": {"cube-operator.dev/credential": "true"},
                    "annotations": {
                        "cube-operator.dev/token-hosts": HOSTS,
                        "cube-operator.dev/token-ca": format!("ConfigMap/roots, ConfigMap/row-{name}-roots, Secret/row-{name}-roots"),
                    },
                },
                "data": data,
            })
        };
        let url = self.scripted.url(&format!("/{name}"));
        let mut credential = self
            .place
            .credential_at(&format!("row-{name}"), &url, "roots");
        let spec = &mut credential["spec"];
        spec["clientSecretRef"]["name"] = json!(format!("row-{name}-client"));
        let stored = row.grant == Grant::RefreshToken;
        if stored {
            spec["provider"] = json!("CubeSoftware");
            spec["grant"] = json!("RefreshToken");
            spec["refreshTokenRef"] = json!({"name": format!("row-{name}-login")});
        } else {
            spec["provider"] = json!("Cubewire");
            spec["scopes"] = json!(["read", "write"]);
        }
        let login = secret(
            "login",
            json!({"refresh-token": STANDARD.encode(format!("seed-{name}"))}),
        );
        Objects {
            client: Some(secret(
                "client",
                json!({"client-id": STANDARD.encode(name), "client-secret": STANDARD.encode("planted-secret")}),
            )),
            login: stored.then_some(login),
            credential,
            others: Vec::new(),
        }
    }

    pub(super) fn broken(&self, row: &Row) -> Objects {
        let mut objects = self.good(row);
        (row.fault)(&mut objects, self);
        objects
    }

    fn repaired(&self, row: &Row) -> Objects {
        let mut objects = self.good(row);
        match row.repair {
            Repair::Secret => objects.put_client("client-secret", Some(b"right-secret")),
            Repair::Spec => objects.at(&self.scripted.url(&format!("/{}?mended", row.name))),
            Repair::SignIn => objects.put_login(Some(format!("new-{}", row.name).as_bytes())),
            Repair::Pause => {
                objects = self.broken(row);
                objects.put_client("client-id", Some(b"another"));
            }
            Repair::Policy => objects.credential["spec"]["description"] = json!("changed"),
            Repair::Change(change) => {
                objects = self.broken(row);
                change(&mut objects, self);
            }
            _ => {}
        }
        objects
    }

    /// Applies the faulty objects of the rows that begin after this one; `None`: of those that begin immediately.
    pub(in crate::failures) fn apply_after(&self, row: Option<&str>) {
        let rows = self.responder.rows.iter().filter(|next| next.after == row);
        self.apply(rows.map(|row| self.broken(row)).collect());
    }

    /// Applies the repaired objects of these rows.
    pub(in crate::failures) fn repair<'a>(&self, rows: impl Iterator<Item = &'a Row>) {
        self.apply(rows.map(|row| self.repaired(row)).collect());
    }

    /// Applies many rows at once, as kubectl would apply them one after the other. The objects of one row keep their order: the
    /// objects that a `CubeCredential` needs, and an older `CubeCredential`, come before it.
    fn apply(&self, rows: Vec<Objects>) {
        let parameters = &PatchParams::apply("a-person").force();
        let written = stream::iter(rows).map(|objects| async move {
            for object in objects.all() {
                let object: DynamicObject = serde_json::from_value(object).unwrap();
                let api = self.api(object.types.as_ref().unwrap());
                let name = object.name_any();
                api.patch(&name, parameters, &Patch::Apply(&object))
                    .await
                    .unwrap();
            }
        });
        self.runtime
            .block_on(written.buffer_unordered(8).collect::<()>());
    }

    /// Puts a label that means nothing on all objects of a kind, and returns their versions by their names.
    pub(in crate::failures) fn label_all<K>(&self, value: &str) -> BTreeMap<String, String>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), &self.place.namespace);
        let patch = json!({"metadata": {"labels": {"touched": value}}});
        self.runtime.block_on(async {
            let all = api.list_metadata(&ListParams::default()).await.unwrap();
            let patched = stream::iter(all).map(|object| {
                let (api, patch) = (&api, Patch::Merge(&patch));
                async move {
                    let name = object.name_any();
                    let patched = api
                        .patch_metadata(&name, &PatchParams::default(), &patch)
                        .await
                        .unwrap();
                    (name, patched.resource_version().unwrap())
                }
            });
            patched.buffer_unordered(8).collect().await
        })
    }

    fn api(&self, types: &TypeMeta) -> Api<DynamicObject> {
        let kind = ApiResource::from_gvk(&types.try_into().unwrap());
        if kind.kind == "ClusterCubeProvider" {
            return Api::all_with(self.client.clone(), &kind);
        }
        Api::namespaced_with(self.client.clone(), &self.place.namespace, &kind)
    }

    /// A person requests one exchange for each of these rows.
    pub(in crate::failures) fn request_refresh<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        value: &str,
    ) {
        let names: Vec<_> = rows.map(Row::object).collect();
        let annotation = format!("cube-operator.dev/refresh-requested-at={value}");
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        self.place.kubectl(
            &[
                &["annotate", "--overwrite", "cubecredential"],
                &names[..],
                &[&annotation],
            ]
            .concat(),
        );
    }
}

//! Where all rows are played at once: one namespace, one operator, and one provider.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredential, CubeCredentialStatus, Grant,
};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, TypeMeta},
    core::NamespaceResourceScope,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::Url;

use super::{
    objects::Objects,
    others::{NO_CHANGE, NO_NEW},
    row::{Cure, Row},
    script::Script,
};
use crate::{
    environment::{ControlPlane, TokenServer},
    operator::{DEADLINE, Operator, eventually},
    place::{Place, is, manifest, told},
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply, Request},
};

/// The world of all rows.
pub(super) struct Stage {
    pub(super) place: Place,
    pub(super) authority: Authority,
    pub(super) stranger: Authority,
    scripted: Provider,
    pub(super) misnamed: Provider,
    pub(super) expired: Provider,
    /// A URL at which nothing listens.
    pub(super) refusing: String,
    script: Arc<Script>,
    runtime: Runtime,
    client: Client,
}

impl Stage {
    /// The stage, with everything but the rows' objects.
    pub(super) fn new(rows: &'static [Row]) -> Self {
        // Its definition of the kind is changed.
        let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
        let (authority, stranger) = (Authority::new("private"), Authority::new("stranger"));
        let script = Arc::new(Script::new(rows));
        let answers = script.clone();
        let scripted = Provider::start(&authority.certificate(&LOCAL), move |request| {
            answers.answer(request)
        });
        let never = |_: &Request| Reply::close();
        let expired = authority.certificate_with(&LOCAL, |params| {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        });
        let (runtime, client) = plane.client();
        let place = Place::without_client(plane, TokenServer::shared());
        place.trust("roots", &authority);
        let stage = Self {
            misnamed: Provider::start(&authority.certificate(&["other.example"]), never),
            expired: Provider::start(&expired, never),
            refusing: format!("https://localhost:{CLOSED}/"),
            client,
            place,
            authority,
            stranger,
            scripted,
            script,
            runtime,
        };
        stage.accept_any_duration();
        let seed = STANDARD.encode("seed-storing");
        let unchanged = format!(
            "object.data['refresh-token'] == oldObject.data['refresh-token'] || oldObject.data['refresh-token'] == '{seed}'"
        );
        stage.refuse(
            NO_CHANGE,
            "UPDATE",
            "no new tokens",
            "'row-storing-cube-state'",
            &unchanged,
        );
        // The one that is waited for comes last.
        stage.refuse(
            NO_NEW,
            "CREATE",
            "no new Secrets",
            "'row-refused-target-token', 'row-refused-state-cube-state'",
            "false",
        );
        stage.wait_for_policy(true);
        stage
    }

    /// A URL of the provider.
    pub(super) fn url(&self, target: &str) -> String {
        self.scripted.url(target)
    }

    pub(super) fn operator(&self) -> Operator {
        let hosts = "localhost,nowhere.invalid,169.254.169.254";
        // As in the chart, where a restarted container has the uid of its pod.
        self.place.operator_with(
            &["--identity", "the-pod", "--allowed-token-hosts", hosts],
            &[],
        )
    }

    /// As a definition of the kind from before durations were checked.
    fn accept_any_duration(&self) {
        let rules = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/refreshBefore/x-kubernetes-validations";
        let patch = json!([{"op": "remove", "path": rules}]).to_string();
        self.place.kubectl(&[
            "patch",
            "crd",
            "cubecredentials.cube-operator.dev",
            "--type=json",
            "-p",
            &patch,
        ]);
        let mut object = self.place.credential("probe");
        object["spec"]["refreshBefore"] = json!("soon");
        eventually("any duration is accepted", || {
            self.would_apply(&object).then_some(())
        });
    }

    /// A policy by which some writes of these Secrets are denied.
    fn refuse(&self, name: &str, operation: &str, message: &str, secrets: &str, expression: &str) {
        let (kind, version) = (
            "ValidatingAdmissionPolicy",
            "admissionregistration.k8s.io/v1",
        );
        self.place.apply(&json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": [operation], "resources": ["secrets"],
                }]},
                "matchConditions": [{"name": "these", "expression": format!("object.metadata.name in [{secrets}]")}],
                "validations": [{"expression": expression, "message": message}],
            },
        }));
        self.place.apply(&json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }));
    }

    /// Without this policy.
    pub(super) fn permit(&self, name: &str) {
        self.place
            .kubectl(&["delete", "validatingadmissionpolicybinding", name]);
    }

    /// Waits until the policies are in force, or not any more.
    pub(super) fn wait_for_policy(&self, in_force: bool) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "row-refused-target-token"}});
        eventually("the policy", || {
            (self.would_apply(&secret) != in_force).then_some(())
        });
    }

    fn would_apply(&self, object: &Value) -> bool {
        let file = manifest(object);
        self.place
            .kubectl_works(&["apply", "--server-side", "--dry-run=server", "-f", &file])
    }

    /// The objects of a row as they should be.
    pub(super) fn good(&self, row: &Row) -> Objects {
        let name = row.name;
        let secret = |kind: &str, data: Value| {
            json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": format!("row-{name}-{kind}"), "labels": {"cube-operator.dev/credential": "true"}},
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

    fn spoiled(&self, row: &Row) -> Objects {
        let mut objects = self.good(row);
        (row.spoil)(&mut objects, self);
        objects
    }

    fn mended(&self, row: &Row) -> Objects {
        let mut objects = self.good(row);
        match row.cure {
            Cure::Secret => objects.put_client("client-secret", Some(b"right-secret")),
            Cure::Spec => objects.at(&self.scripted.url(&format!("/{}?mended", row.name))),
            Cure::SignIn => objects.put_login(Some(format!("new-{}", row.name).as_bytes())),
            Cure::Pause => {
                objects = self.spoiled(row);
                objects.put_client("client-id", Some(b"another"));
            }
            Cure::Policy => objects.credential["spec"]["description"] = json!("changed"),
            Cure::Change(change) => {
                objects = self.spoiled(row);
                change(&mut objects, self);
            }
            _ => {}
        }
        objects
    }

    /// Applies what is wrong in the rows that begin after this one, or at once.
    pub(super) fn set_after(&self, row: Option<&str>) {
        let rows = self.script.rows.iter().filter(|next| next.after == row);
        self.apply(rows.map(|row| self.spoiled(row)).collect());
    }

    /// Applies what these rows should have had.
    pub(super) fn mend<'a>(&self, rows: impl Iterator<Item = &'a Row>) {
        self.apply(rows.map(|row| self.mended(row)).collect());
    }

    /// Many rows at once: kubectl would take them one after the other. Those of one row in their order: what a
    /// `CubeCredential` needs, and who is older than it, comes before it.
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

    /// A label that means nothing, on all objects of a kind. Returns their versions by their names.
    pub(super) fn label_all<K>(&self, value: &str) -> BTreeMap<String, String>
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
        Api::namespaced_with(self.client.clone(), &self.place.namespace, &kind)
    }

    /// The provider mends what was its fault.
    pub(super) fn mend_provider_of(&self, row: &Row) {
        self.script.mend(row);
    }

    /// A person asks for one exchange of each of these rows.
    pub(super) fn ask<'a>(&self, rows: impl Iterator<Item = &'a Row>, value: &str) {
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

    /// All statuses, by the name of the object.
    pub(super) fn statuses(&self) -> BTreeMap<String, CubeCredentialStatus> {
        let api: Api<CubeCredential> = Api::namespaced(self.client.clone(), &self.place.namespace);
        let list = self
            .runtime
            .block_on(api.list(&ListParams::default()))
            .unwrap();
        list.into_iter()
            .map(|object| (object.name_any(), object.status.unwrap_or_default()))
            .collect()
    }

    /// Waits until the status of each of these rows fits, or tells those that do not.
    pub(super) fn wait_until<'a>(
        &self,
        what: &str,
        rows: impl Iterator<Item = &'a Row>,
        fits: impl Fn(&Row, &CubeCredentialStatus) -> bool,
    ) {
        let mut rows: Vec<_> = rows.collect();
        let start = Instant::now();
        while !rows.is_empty() {
            let statuses = self.statuses();
            rows.retain(|row| !fits(row, &statuses[&row.object()]));
            let left = || {
                rows.iter()
                    .map(|row| (row.name, told(&statuses[&row.object()])))
            };
            assert!(
                start.elapsed() < DEADLINE,
                "{what}: {:#?}",
                left().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The events about each row in the order in which they came, without their notes: `Warning InvalidClient`.
    pub(super) fn events(&self) -> BTreeMap<String, Vec<String>> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.place.namespace);
        let list = self.runtime.block_on(api.list(&ListParams::default()));
        let mut list = list.unwrap().items;
        list.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        let mut events = BTreeMap::<_, Vec<_>>::new();
        for event in list {
            let about = event.regarding.and_then(|object| object.name).unwrap();
            let line = [event.type_, event.reason].map(Option::unwrap).join(" ");
            events.entry(about).or_default().push(line);
        }
        events
    }

    /// `host:port` of all that listens, or does not, here.
    pub(super) fn authorities(&self) -> impl Iterator<Item = String> {
        let urls =
            [&self.scripted, &self.misnamed, &self.expired].map(|provider| provider.url("/"));
        let urls = urls.into_iter().chain([self.refusing.clone()]);
        urls.map(|url| Url::parse(&url).unwrap().authority().to_owned())
    }

    /// How many requests of a row were answered as the row says, and how many as it is when all is well.
    pub(super) fn requests(&self, row: &Row) -> (usize, usize) {
        self.script.requests(row)
    }

    /// The refresh token of a row's first request that was answered as it is when all is well.
    pub(super) fn sent_at_first(&self, row: &Row) -> Option<String> {
        self.script.sent_at_first(row)
    }

    /// What people are told, with names and times of this run in the place of `{placeholders}`.
    pub(super) fn fill(&self, row: &Row, status: &CubeCredentialStatus) -> Vec<String> {
        let spec = &self.spoiled(row).credential["spec"];
        let url = Url::parse(spec["tokenURL"].as_str().unwrap()).unwrap();
        let name = |kind: &str| format!("\"row-{}-{kind}\"", row.name);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let values = [
            ("{host}", url.authority().to_owned()),
            ("{client}", name("client")),
            ("{login}", name("login")),
            ("{target}", name("token")),
            ("{state}", name("cube-state")),
            ("{roots}", spec["caBundleRef"]["name"].to_string()),
            ("{namespace}", self.place.namespace.clone()),
            ("{time}", next_try(status).unwrap_or_default()),
            ("{expires}", text(status.expires_at)),
            ("{issued}", text(status.issued_at)),
            ("{refresh}", text(status.refresh_at)),
        ];
        let fill = |line: &String| {
            values.iter().fold(line.clone(), |line, (name, value)| {
                line.replace(name, value)
            })
        };
        row.told.iter().map(fill).collect()
    }
}

/// Whether the last exchange worked and its token is published.
pub(super) fn is_well(status: &CubeCredentialStatus) -> bool {
    is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
}

/// The time of the next try, as the message has it.
pub(super) fn next_try(status: &CubeCredentialStatus) -> Option<String> {
    if let Some(time) = status.refresh_at {
        return Some(time.strftime("%H:%M:%SZ").to_string());
    }
    let text = told(status).concat();
    let start = text.find("next try at ")? + "next try at ".len();
    Some(text[start..start + "00:00:00Z".len()].to_owned())
}

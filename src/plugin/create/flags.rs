//! The flags of `create`.

use std::path::PathBuf;

use clap::{
    ArgGroup, Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::SignedDuration;

use super::grant::OfGrant;
use super::values::{ca_bundle, duration, parameter, provider_ref, variant};
use crate::{
    api::{CaBundleRef, ClientAuthentication, Grant, Provider, ProviderRef},
    plugin::{login::Browser, output::Format},
};

/// The flags of `create`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("client").args(["client_id", "client_secret_file"]).multiple(true).conflicts_with("from_secret"))]
pub(in crate::plugin) struct Create {
    /// The name of the CubeCredential; the Secrets NAME-client, NAME-login and NAME-token are named after it
    pub(super) name: Option<String>,
    /// The provider, which sets the endpoints, scopes and client authentication
    #[arg(long, value_parser = PossibleValuesParser::new(["Cubewire", "CubeSoftware", "Custom"]).try_map(variant::<Provider>))]
    pub(super) provider: Option<Provider>,
    /// The provider object that sets all that in place of --provider: CubeProvider/NAME or ClusterCubeProvider/NAME
    ///
    /// It is read from the cluster, also with --dry-run.
    #[arg(long, value_name = "KIND/NAME", value_parser = provider_ref,
        conflicts_with_all = ["provider", "token_url", "authorization-url", "issuer", "ca_bundle"])]
    pub(super) provider_ref: Option<ProviderRef>,
    /// A note for people
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// The token endpoint; needed with provider Custom
    #[arg(long, value_name = "URL")]
    pub(super) token_url: Option<String>,
    /// The authorization endpoint, where people sign in; needed with provider Custom
    #[arg(id = "authorization-url", long, value_name = "URL")]
    pub(super) authorization_url: Option<String>,
    /// Look up the endpoints, the client authentication and the scopes in the metadata of this authorization server
    ///
    /// The metadata (RFC 8414, or of OpenID Connect) has to name exactly this issuer. What it says is written into the
    /// spec; other flags win over it.
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// The grant; the default depends on the provider
    #[arg(long, value_parser = PossibleValuesParser::new(["ClientCredentials", "RefreshToken", "AccountCredentials", "JWTBearer", "TokenExchange"]).try_map(variant::<Grant>))]
    pub(super) grant: Option<Grant>,
    /// A scope to request; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Vec<String>,
    /// A further form field of the request, such as audience; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) parameter: Vec<(String, String)>,
    /// The client id
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// The file with the client secret; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(super) client_secret_file: Option<PathBuf>,
    /// Use the client in this Secret, which must have the label cube-operator.dev/credential=true; needed for a private key
    #[arg(long, value_name = "SECRET")]
    pub(super) from_secret: Option<String>,
    /// The client's method of authentication; None is for public clients, and a private key needs --from-secret
    #[arg(long, value_parser = PossibleValuesParser::new(["Body", "Basic", "BasicEmptySecret", "None", "PrivateKeyJWT", "MutualTLS"]).try_map(variant::<ClientAuthentication>))]
    pub(super) client_authentication: Option<ClientAuthentication>,
    /// The Secret to publish the token in; by default NAME-token
    #[arg(long, value_name = "SECRET")]
    pub(super) target: Option<String>,
    /// The object with the CA certificates of a private CA: ConfigMap/NAME or Secret/NAME, and :KEY if the key is not ca.crt
    #[arg(long, value_name = "KIND/NAME", value_parser = ca_bundle)]
    pub(super) ca_bundle: Option<CaBundleRef>,
    /// Print the objects, with a placeholder in place of each secret, and change nothing; no cluster is needed
    #[arg(long, value_name = "client", value_parser = ["client"])]
    pub(super) dry_run: Option<String>,
    /// The format of --dry-run
    #[arg(short, long, value_enum, default_value = "yaml", requires = "dry_run")]
    pub(super) output: Format,
    /// Change objects that exist
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Do not wait for the token
    #[arg(long, conflicts_with = "timeout")]
    pub(super) no_wait: bool,
    /// The longest time to wait for the token
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub(super) timeout: SignedDuration,
    #[command(flatten)]
    pub(super) of_grant: OfGrant,
    #[command(flatten)]
    pub(super) browser: Browser,
}

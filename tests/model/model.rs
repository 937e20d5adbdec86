//! One `CubeCredential`, the objects around it, the processes that serve it and its provider, in memory. The unit tests, the
//! simulation and the fuzz target share this model, and each adds what only it checks.

pub(crate) mod cluster;
pub(crate) mod logins;
pub(crate) mod objects;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod workloads;

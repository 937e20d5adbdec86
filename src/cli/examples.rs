//! The examples at the end of each help text.

pub(super) const EXAMPLES: &str = "\
Examples:
  # Check the installation and all CubeCredentials, as the operator sees them
  kubectl -n cube-system exec deploy/cube-operator -- cube-operator check

  # Check one CubeCredential with your own kubeconfig
  cube-operator check my-api --namespace my-namespace

  # Print the CustomResourceDefinition
  cube-operator crd";

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  # Run one process for the whole cluster, with the current kubeconfig
  cube-operator run --log-format text

  # Watch two namespaces, and let another process stand by
  cube-operator run --namespaces team-a,team-b --lease cube-system/cube-operator

  # Allow token endpoints on the machine itself, for tests
  cube-operator run --allow-network 127.0.0.0/8,::1/128";

pub(super) const CRD_EXAMPLES: &str = "\
Examples:
  # Install or update the definition without the chart
  cube-operator crd | kubectl apply --server-side -f -";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  # Check the installation and all CubeCredentials
  cube-operator check

  # Check one CubeCredential, from the operator's pod
  kubectl -n cube-system exec deploy/cube-operator -- cube-operator check my-api --namespace my-namespace

  # Check all namespaces, and connect to their token endpoints from this machine
  cube-operator check --all-namespaces --connect";

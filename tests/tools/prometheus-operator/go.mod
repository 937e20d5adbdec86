// Only the definitions that this module publishes as files are used, so `go mod tidy` would empty this file.
// To update: `go get github.com/prometheus-operator/prometheus-operator@VERSION`, then `go mod download`.
module cube-operator.dev/tests/tools/prometheus-operator

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.88.0 // indirect

// The program in the pods of `make node`: see main.go. It needs nothing but the standard library.
module cube-operator.dev/tests/tools/consumer

go 1.26.0

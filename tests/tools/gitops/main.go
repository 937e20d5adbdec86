// Says what GitOps tools make of an object: kstatus (Flux, Helm 4), and Argo CD with a health check in Lua.
//
//	gitops-health HEALTH.lua < OBJECT.json
//
// prints two lines: the status by kstatus, and the status and the message by the health check.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, object); err != nil {
		log.Fatal(err)
	}
	result, err := status.Compute(object)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Status)
	found, message, err := health(os.Args[1], text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", found, message)
}

// Argo CD runs a health check with these libraries only, and the object in the global obj.
func health(path string, text []byte) (string, string, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return "", "", err
		}
	}
	object, err := luajson.Decode(state, text)
	if err != nil {
		return "", "", err
	}
	state.SetGlobal("obj", object)
	if err := state.DoString(string(script)); err != nil {
		return "", "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("the health check returns no table")
	}
	return table.RawGetString("status").String(), table.RawGetString("message").String(), nil
}

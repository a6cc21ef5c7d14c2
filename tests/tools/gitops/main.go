// Judges Kubernetes objects as the tools do that apply them from Git: kstatus, Flux's health check expressions, and Argo
// CD's Lua scripts for health and actions. Each is the tool's own code or engine; see the other files.
//
// It reads one JSON request a line and answers each with one JSON line. It has no cluster and no file.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// request names a judge and what it is to look at.
type request struct {
	Judge  string          `json:"judge"`
	Object json.RawMessage `json:"object"`
	// Lua, for the judges of Argo CD.
	Script string `json:"script"`
	// For "flux": an entry of healthCheckExprs.
	Expressions json.RawMessage `json:"expressions"`
}

type answer struct {
	Verdict any    `json:"verdict,omitempty"`
	Error   string `json:"error,omitempty"`
}

var judges = map[string]func(request, *unstructured.Unstructured) (any, error){
	"kstatus":   kstatus,
	"flux":      flux,
	"shape":     shape,
	"argo":      argo,
	"health":    health,
	"discovery": discovery,
	"action":    action,
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		verdict, err := judge(line)
		answer := answer{Verdict: verdict}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := out.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func judge(line []byte) (any, error) {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	judge, known := judges[asked.Judge]
	if !known {
		return nil, fmt.Errorf("there is no judge %q", asked.Judge)
	}
	// As the tools read what they watch: whole numbers are int64, not float64.
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asked.Object); err != nil {
		return nil, err
	}
	return judge(asked, object)
}

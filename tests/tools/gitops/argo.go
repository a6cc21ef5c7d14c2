package main

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// healthWords are those that Argo CD knows.
var healthWords = map[string]bool{
	"Healthy": true, "Progressing": true, "Degraded": true, "Suspended": true, "Missing": true, "Unknown": true,
}

type healthStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// argo is what Argo CD shows (gitops-engine, pkg/health): no script is asked about an object that is being deleted.
func argo(asked request, object *unstructured.Unstructured) (any, error) {
	if object.GetDeletionTimestamp() != nil {
		return healthStatus{"Progressing", "Pending deletion"}, nil
	}
	return health(asked, object)
}

// health is what the script says.
func health(asked request, object *unstructured.Unstructured) (any, error) {
	found, err := runLua(asked.Script, object)
	if err != nil {
		return nil, err
	}
	var said healthStatus
	if err := json.Unmarshal(found, &said); err != nil {
		return nil, err
	}
	if !healthWords[said.Status] {
		return nil, fmt.Errorf("%q is no health status", said.Status)
	}
	return said, nil
}

// discovery lists the actions that a person is offered: name to properties. Lua has one empty table for both an empty
// list and an empty map, so "no action" may look like a list.
func discovery(asked request, object *unstructured.Unstructured) (any, error) {
	found, err := runLua(asked.Script, object)
	if err != nil {
		return nil, err
	}
	actions := map[string]any{}
	if string(found) == "[]" {
		return actions, nil
	}
	return actions, json.Unmarshal(found, &actions)
}

type actionResult struct {
	Object map[string]any  `json:"object"`
	Patch  json.RawMessage `json:"patch"`
}

// action gives the object that the script returns, and the merge patch that Argo CD sends to the API server.
func action(asked request, object *unstructured.Unstructured) (any, error) {
	found, err := runLua(asked.Script, object)
	if err != nil {
		return nil, err
	}
	changed := &unstructured.Unstructured{}
	if err := changed.UnmarshalJSON(found); err != nil {
		return nil, err
	}
	restoreEmptyMaps(changed.Object, object.Object)
	before, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(changed.Object)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	return actionResult{changed.Object, patch}, err
}

// restoreEmptyMaps undoes what Lua does to an empty map, as Argo CD does before it compares.
func restoreEmptyMaps(changed, original any) {
	switch original := original.(type) {
	case map[string]any:
		changed, isMap := changed.(map[string]any)
		for key, value := range original {
			if !isMap {
				return
			}
			_, wasMap := value.(map[string]any)
			if list, isList := changed[key].([]any); wasMap && isList && len(list) == 0 {
				changed[key] = value
				continue
			}
			restoreEmptyMaps(changed[key], value)
		}
	case []any:
		changed, isList := changed.([]any)
		for index, value := range original {
			if isList && index < len(changed) {
				restoreEmptyMaps(changed[index], value)
			}
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomization "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// published are Flux's own types of the objects that the examples use.
var published = map[string]func() any{
	kustomization.GroupVersion.String() + " Kustomization": func() any { return &kustomization.Kustomization{} },
	helm.GroupVersion.String() + " HelmRelease":            func() any { return &helm.HelmRelease{} },
	source.GroupVersion.String() + " GitRepository":        func() any { return &source.GitRepository{} },
	source.GroupVersion.String() + " OCIRepository":        func() any { return &source.OCIRepository{} },
}

// shape reads an object of Flux into its published type and refuses a field that is not there.
func shape(asked request, object *unstructured.Unstructured) (any, error) {
	name := object.GetAPIVersion() + " " + object.GetKind()
	empty, known := published[name]
	if !known {
		return nil, fmt.Errorf("%s is no type of Flux that is known here", name)
	}
	decoder := json.NewDecoder(bytes.NewReader(asked.Object))
	decoder.DisallowUnknownFields()
	return name, decoder.Decode(empty())
}

package main

import (
	"context"
	"encoding/json"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// kstatus is the published library. Flux, where it has no expressions, uses a fork with the same rules.
func kstatus(_ request, object *unstructured.Unstructured) (any, error) {
	result, err := status.Compute(object)
	if err != nil {
		return nil, err
	}
	return result.Status, nil
}

// flux evaluates an entry of healthCheckExprs by the evaluator of Flux itself.
func flux(asked request, object *unstructured.Unstructured) (any, error) {
	var expressions kustomize.HealthCheckExpressions
	if err := json.Unmarshal(asked.Expressions, &expressions); err != nil {
		return nil, err
	}
	evaluator, err := cel.NewStatusEvaluator(&expressions)
	if err != nil {
		return nil, err
	}
	result, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return nil, err
	}
	return result.Status, nil
}

package e2e

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Manifests are the objects that the tests apply.
//
//go:embed scenarios/*.yaml recovery/*.yaml
var Manifests embed.FS

// variable is what a manifest leaves to the cluster: ${OPEN}.
var variable = regexp.MustCompile(`\$\{([A-Z]+)\}`)

// Object is an object of a manifest.
type Object struct {
	*unstructured.Unstructured
	File string
}

// ReadFolder reads all manifests of a folder in the order of their names, with the variables filled in.
func ReadFolder(folder string, variables map[string]string) ([]Object, error) {
	files, err := Manifests.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the manifests: %w", err)
	}
	var objects []Object
	for _, file := range files {
		text, err := Manifests.ReadFile(folder + "/" + file.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the manifests: %w", err)
		}
		some, err := ReadObjects(text, variables)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", folder, file.Name(), err)
		}
		for _, object := range some {
			objects = append(objects, Object{object, strings.TrimSuffix(file.Name(), ".yaml")})
		}
	}
	return objects, nil
}

// ReadObjects reads the objects of a YAML stream, with the variables filled in.
func ReadObjects(text []byte, variables map[string]string) ([]*unstructured.Unstructured, error) {
	var unknown error
	text = variable.ReplaceAllFunc(text, func(match []byte) []byte {
		name := string(match[2 : len(match)-1])
		value, ok := variables[name]
		if !ok {
			unknown = fmt.Errorf("variable %s is not one of %v", name, slices.Sorted(maps.Keys(variables)))
		}
		return []byte(value)
	})
	if unknown != nil {
		return nil, unknown
	}
	var objects []*unstructured.Unstructured
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading YAML: %w", err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, fmt.Errorf("reading YAML: %w", err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// value is one that a user may set, or a group of such.
type value struct {
	path        string // with dots
	description string // of a group it is empty
	fallback    any    // what values.yaml has
}

func (v value) isGroup() bool { return v.description == "" }

// values are those of values.yaml, in its order, with the groups before what they hold.
type values struct {
	list []value
	// sizes is the table of what clusters of some sizes need.
	sizes []string
}

var (
	keyLine         = regexp.MustCompile(`^( *)([A-Za-z]\w*):`)
	descriptionLine = regexp.MustCompile(`^ *# -- (.*)`)
	commentLine     = regexp.MustCompile(`^ *# ?(.*)`)
)

// parseValues reads values.yaml. A key with a description is a value, whatever stands below it; one without is a group.
func parseValues(text string) (*values, error) {
	var fallbacks map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &fallbacks); err != nil {
		return nil, err
	}
	v := &values{}
	var description string
	var path []string
	below := -1 // the indent of the last value: what stands deeper is part of it
	for number, line := range strings.Split(text, "\n") {
		key := keyLine.FindStringSubmatch(line)
		switch described, comment := descriptionLine.FindStringSubmatch(line), commentLine.FindStringSubmatch(line); {
		case described != nil:
			description = described[1]
		case comment != nil && description != "":
			description += " " + comment[1]
		case comment != nil && strings.HasPrefix(comment[1], "|"):
			v.sizes = append(v.sizes, comment[1])
		case key != nil && (below < 0 || len(key[1]) <= below):
			depth := min(len(key[1])/2, len(path))
			path = append(path[:depth:depth], key[2])
			next := value{path: strings.Join(path, "."), description: description}
			var known bool
			if next.fallback, known = lookup(fallbacks, path); !known || len(key[1]) != 2*depth {
				return nil, fmt.Errorf("line %d: %s is indented otherwise than by two spaces", number+1, next.path)
			}
			v.list = append(v.list, next)
			if below = len(key[1]); next.isGroup() {
				below = -1
			}
			description = ""
		case strings.TrimSpace(line) == "":
			description = ""
		}
	}
	return v, v.complete(fallbacks)
}

// lookup finds what stands at a path.
func lookup(all map[string]any, path []string) (any, bool) {
	found, ok := all[path[0]]
	if group, isMap := found.(map[string]any); ok && isMap && len(path) > 1 {
		return lookup(group, path[1:])
	}
	return found, ok && len(path) == 1
}

// complete proves that every key was found and each value is described.
func (v *values) complete(fallbacks map[string]any) error {
	var walk func(prefix string, group map[string]any) error
	walk = func(prefix string, group map[string]any) error {
		for _, key := range slices.Sorted(maps.Keys(group)) {
			i := slices.IndexFunc(v.list, func(one value) bool { return one.path == prefix+key })
			below, isMap := group[key].(map[string]any)
			switch {
			case i < 0:
				return fmt.Errorf("%s was not found", prefix+key)
			case v.list[i].isGroup() && (!isMap || len(below) == 0):
				return fmt.Errorf("%s has no description: a comment that begins with --", prefix+key)
			case v.list[i].isGroup():
				if err := walk(prefix+key+".", below); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk("", fallbacks)
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// stage is what the last stage of a Dockerfile says of the image.
type stage struct {
	binary     string // where it is put
	entrypoint []string
	user       string
	port       string
	labels     map[string]string
}

// label matches one assignment of LABEL, always with quotes.
var label = regexp.MustCompile(`^\s*([\w.-]+)="([^"]*)"`)

// parseLastStage reads the last stage of a Dockerfile. It knows the instructions that are used there and refuses all others, so that
// what Docker would build and what is built here never differ unnoticed.
func parseLastStage(text string, arguments map[string]string) (stage, error) {
	lines := instructions(text)
	last := len(lines) - 1
	for last >= 0 && !strings.HasPrefix(lines[last], "FROM ") {
		last--
	}
	if last < 0 || lines[last] != "FROM scratch" {
		return stage{}, errors.New("the last stage must be FROM scratch: nothing else is known here")
	}
	s := stage{labels: map[string]string{}}
	declared := map[string]bool{}
	for _, line := range lines[last+1:] {
		word, rest, _ := strings.Cut(line, " ")
		if word == "ARG" {
			declared[rest] = true
			continue
		}
		rest, err := expand(rest, declared, arguments)
		if err == nil {
			err = s.apply(word, rest)
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", line, err)
		}
	}
	if s.binary == "" || len(s.entrypoint) == 0 || s.user == "" || s.port == "" || len(s.labels) == 0 {
		return s, errors.New("COPY, USER, EXPOSE, LABEL or ENTRYPOINT is missing in the last stage")
	}
	return s, nil
}

// instructions are the lines of a Dockerfile without comments, and with continued lines in one.
func instructions(text string) []string {
	var all []string
	var open string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, continued := strings.CutSuffix(line, `\`)
		open += head
		if !continued {
			all = append(all, open)
			open = ""
		}
	}
	return all
}

// expand puts in the values of ARGs. One without a value would leave the image without its version.
func expand(text string, declared map[string]bool, arguments map[string]string) (string, error) {
	var missing []string
	text = os.Expand(text, func(name string) string {
		if !declared[name] || arguments[name] == "" {
			missing = append(missing, name)
		}
		return arguments[name]
	})
	if missing != nil {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return text, nil
}

func (s *stage) apply(word, rest string) error {
	switch word {
	case "COPY":
		files := strings.Fields(rest)
		if len(files) != 3 || !strings.HasPrefix(files[0], "--from=") || s.binary != "" {
			return errors.New("only one COPY --from=STAGE FROM TO is known")
		}
		s.binary = files[2]
	case "USER":
		s.user = rest
	case "EXPOSE":
		s.port = rest
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &s.entrypoint)
	case "LABEL":
		for rest != "" {
			match := label.FindStringSubmatch(rest)
			if match == nil {
				return fmt.Errorf("no name=\"value\": %q", rest)
			}
			s.labels[match[1]] = match[2]
			rest = strings.TrimSpace(rest[len(match[0]):])
		}
	default:
		return errors.New("unknown here")
	}
	return nil
}

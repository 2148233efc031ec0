package classify

import (
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// ruleTable is a family's rules with what the walker does to a message before and after them.
type ruleTable struct {
	name  string
	rules []rule
	tell  func(message string) Cause
}

func ruleTables(c *Classifier) []ruleTable {
	tables := []ruleTable{
		{"create", c.create, func(m string) Cause { cause, _, _ := c.tellCreate(m); return cause }},
		{"volume", c.volume, func(m string) Cause { cause, _ := c.tellVolume(volumeEventReason(m), m); return cause }},
		{"config", c.config, func(m string) Cause {
			p := walk(PodInput{Pod: newPod(web(waiting("CreateContainerConfigError", m))), Now: clock(minute)})
			return c.uncreated(p, &p.containers[0], "CreateContainerConfigError", m).Cause
		}},
		{"start", c.start, func(m string) Cause { cause, _ := c.tellStart("", m); return cause }},
		{"words", c.words, func(m string) Cause {
			cause, _, _ := c.tellEnd(ended{state: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: m}, mustRun: true})
			return cause
		}},
		{"probe", c.probe, func(m string) Cause { cause, _ := c.tellProbe(m); return cause }},
		{"pod", c.pod, func(m string) Cause { cause, _ := c.tellPod("Evicted", m); return cause }},
	}
	image := ruleTable{name: "image", tell: func(m string) Cause { cause, _ := c.tellImage("ErrImagePull", m, "", nil); return cause }}
	for _, r := range c.image {
		image.rules = append(image.rules, r.rule)
	}
	return append(tables, image)
}

// volumeEventReason is the reason of the event in which the kubelet writes such a message.
func volumeEventReason(message string) string {
	switch {
	case strings.Contains(message, "network is not ready: "):
		return "NetworkNotReady"
	case strings.Contains(message, "Error syncing pod"):
		return "FailedSync"
	case strings.Contains(message, "MountVolume."):
	case strings.Contains(message, "sandbox"):
		return "FailedCreatePodSandBox"
	case strings.Contains(message, "AttachVolume."), strings.Contains(message, "Multi-Attach"):
		return "FailedAttachVolume"
	}
	return "FailedMount"
}

func TestMessagesThroughTheWholeTable(t *testing.T) {
	for _, table := range ruleTables(New(DefaultOptions())) {
		t.Run(table.name, func(t *testing.T) {
			for i, r := range table.rules {
				if len(r.made) == 0 {
					t.Errorf("rule %d (%s) has no message that it was made for", i, r.cause)
				}
				for _, m := range r.made {
					if got := table.tell(m); got != r.cause {
						t.Errorf("rule %d: got %s, want %s for\n\t%s", i, got, r.cause, m)
					}
				}
				for _, m := range r.near {
					if got := table.tell(m); got == r.cause {
						t.Errorf("rule %d: %s takes a look-alike:\n\t%s", i, r.cause, m)
					}
				}
			}
		})
	}
}

// TestMessagesInTheirWrapping runs the same messages as event recorders wrap them: nothing may change.
func TestMessagesInTheirWrapping(t *testing.T) {
	for _, table := range ruleTables(New(DefaultOptions())) {
		if table.name == "words" || table.name == "image" {
			continue // the application's own words have no wrapping; those of pulls are tested in image_test.go
		}
		for _, r := range table.rules {
			for _, m := range r.made {
				for _, wrap := range []string{"(combined from similar events): ", "spec.containers{web}: ", " \n"} {
					if got := table.tell(wrap + m); got != r.cause {
						t.Errorf("%s: got %s, want %s for\n\t%s%s", table.name, got, r.cause, wrap, m)
					}
				}
			}
		}
	}
}

// className matches what is upper case in a regular expression and no letter of the text.
var className = regexp.MustCompile(`\\[A-Z]|\(\?[a-zA-Z]+\)`)

func TestRulesAreWellFormed(t *testing.T) {
	catalogue := mustCatalogue(t)
	for _, table := range ruleTables(New(DefaultOptions())) {
		for i, r := range table.rules {
			if catalogue.Page(r.cause) == nil {
				t.Errorf("%s: rule %d tells %q, which has no page", table.name, i, r.cause)
			}
			if len(r.any)+len(r.all) == 0 && r.pattern == nil {
				t.Errorf("%s: rule %d (%s) matches everything", table.name, i, r.cause)
			}
			for _, parts := range [][]string{r.any, r.all, r.none} {
				for _, part := range parts {
					if part == "" || part != strings.ToLower(part) {
						t.Errorf("%s: rule %d (%s): %q never matches the lower-case text, or always", table.name, i, r.cause, part)
					}
				}
			}
			if r.pattern == nil {
				continue
			}
			if text := className.ReplaceAllString(r.pattern.String(), ""); text != strings.ToLower(text) {
				t.Errorf("%s: rule %d (%s): the pattern has upper-case letters, the text is lower case: %s", table.name, i, r.cause, r.pattern)
			}
		}
	}
}

func TestSchedulePhrases(t *testing.T) {
	c, catalogue := New(DefaultOptions()), mustCatalogue(t)
	for i, phrase := range c.sched {
		if len(phrase.made) == 0 {
			t.Errorf("phrase %d (%s) has no message that it was made for", i, phrase.cause)
		}
		if catalogue.Page(phrase.cause) == nil {
			t.Errorf("phrase %d tells %q, which has no page", i, phrase.cause)
		}
		for _, text := range phrase.made {
			if got := c.schedulePhrase(text); got != phrase.cause {
				t.Errorf("phrase %d: got %s, want %s for %q", i, got, phrase.cause, text)
			}
			if got := c.ParseScheduling("0/3 nodes are available: 3 " + text + "."); len(got) == 0 || got[0].Cause != phrase.cause {
				t.Errorf("phrase %d: got %v, want %s for a whole message with %q", i, got, phrase.cause, text)
			}
		}
	}
}

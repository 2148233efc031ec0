package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// shownNames is how many pods, containers or messages a block names.
const shownNames = 3

// table writes one block for each cause of each workload, the worst workload first.
func table(s *classify.Snapshot, c *classify.Catalogue, o Options) []byte {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	t := &text{width: max(o.Width, 40), colour: o.Colour}
	if len(s.Failures) == 0 {
		t.line(nothing(o.Looked))
		return t.Bytes()
	}
	for i, g := range groupsOf(s) {
		for j, b := range g.blocks() {
			if i+j > 0 {
				t.line("")
			}
			t.head(s, g, b)
			t.evidence(b)
			if page := c.Page(b.cause); page != nil {
				t.steps("  fix: ", cleanAll(page.Steps(b.failures[0])))
			}
			for _, line := range b.who() {
				t.paragraph(plain, "  ", line)
			}
		}
	}
	return t.Bytes()
}

func nothing(looked string) string {
	if looked == "" {
		return "Nothing fails."
	}
	return "Nothing fails. Looked at " + clean(looked) + "."
}

// head writes workload, ready pods, cause and age.
func (t *text) head(s *classify.Snapshot, g *group, b *block) {
	style := yellow
	if g.down() {
		style = red
	}
	parts := []string{t.styled(bold, clean(title(g.workload)))}
	if g.counted {
		parts = append(parts, ready(g))
	}
	cause := t.styled(style, clean(string(b.cause)))
	if b.failing > 1 {
		cause += fmt.Sprintf(" (%d pods)", b.failing)
	}
	parts = append(parts, cause)
	if age := age(s.At, b.since); age != "" {
		parts = append(parts, age)
	}
	t.line(strings.Join(parts, "   "))
}

func title(w classify.Workload) string {
	name := w.Name
	if w.Namespace != "" {
		name = w.Namespace + "/" + w.Name
	}
	return fmt.Sprintf("%s (%s)", name, w.Kind)
}

func ready(g *group) string { return fmt.Sprintf("%d of %d ready", g.pods.Ready, g.pods.Desired) }

// evidence writes what Kubernetes says.
func (t *text) evidence(b *block) {
	for _, message := range b.messages() {
		t.paragraph(plain, "  ", message)
	}
	for _, line := range b.quota() {
		t.paragraph(plain, "  ", line)
	}
	if also := b.also(); len(also) > 0 {
		t.paragraph(plain, "  ", "also: "+strings.Join(also, ", "))
	}
}

// messages returns the evidence for each container, as the messages of several pods differ in nothing but names.
func (b *block) messages() []string {
	var messages []string
	var containers []string
	for _, f := range b.failures {
		if f.Message == "" || slices.Contains(containers, f.Container) || f.Family == classify.FamilyRollout && len(messages) > 0 {
			continue
		}
		containers = append(containers, f.Container)
		messages = append(messages, clean(f.Message))
	}
	if len(messages) > 1 {
		for i, container := range containers {
			if container != "" {
				messages[i] = clean(container) + ": " + messages[i]
			}
		}
	}
	return slices.Compact(messages[:min(len(messages), shownNames)])
}

// quota returns the figures of the quotas that refuse the block's pods, and what they demand.
func (b *block) quota() []string {
	return b.quotaLines(func(classify.QuotaResource) bool { return true })
}

// quotaLines says each thing once, and of the figures those that are wanted.
func (b *block) quotaLines(wanted func(classify.QuotaResource) bool) []string {
	var lines []string
	for _, f := range b.failures {
		if f.Quota == nil {
			continue
		}
		name := "quota"
		if f.Quota.Name != "" {
			name += " " + clean(f.Quota.Name)
		}
		for _, r := range f.Quota.Resources {
			if figures := figures(r); figures != "" && wanted(r) {
				lines = append(lines, fmt.Sprintf("%s: %s %s", name, clean(r.Resource), figures))
			}
		}
		if demands := demands(f.Quota); demands != "" {
			lines = append(lines, name+" demands "+demands)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// figures is empty for a resource that a quota only demands to be set.
func figures(r classify.QuotaResource) string {
	var parts []string
	add := func(word, value string) {
		if value != "" {
			parts = append(parts, word+" "+value)
		}
	}
	add("requested", quantity(r.Requested))
	add("used", quantity(r.Used))
	add("hard", quantity(r.Hard))
	return strings.Join(parts, ", ")
}

// demands names the resources that must be set, and by which containers.
func demands(q *classify.Quota) string {
	var resources, containers []string
	for _, r := range q.Resources {
		if figures(r) != "" {
			continue
		}
		resources = append(resources, clean(r.Resource))
		for _, container := range r.Containers {
			if container = clean(container); !slices.Contains(containers, container) {
				containers = append(containers, container)
			}
		}
	}
	text := strings.Join(resources, ", ")
	if len(containers) > 0 {
		text += fmt.Sprintf(" (%s %s)", plural(len(containers), "container"), some(containers))
	}
	return text
}

func (b *block) also() []string {
	var also []string
	for _, f := range b.failures {
		for _, cause := range f.Also {
			if name := clean(string(cause)); !slices.Contains(also, name) && cause != b.cause {
				also = append(also, name)
			}
		}
	}
	return also
}

// who names the pods with their containers, the controllers whose pods are missing, and says that a rollout stalls.
func (b *block) who() []string {
	var pods, containers, lines []string
	stalled := false
	for _, f := range b.failures {
		switch {
		case f.Kind == "Pod":
			pods = append(pods, clean(f.Name))
			if f.Container != "" && !slices.Contains(containers, clean(f.Container)) {
				containers = append(containers, clean(f.Container))
			}
		case f.Family == classify.FamilyRollout:
			stalled = true
		default:
			line := fmt.Sprintf("%s %s", clean(f.Kind), clean(f.Name))
			if f.MissingPods > 0 {
				line += fmt.Sprintf(": %d %s missing", f.MissingPods, plural(int(f.MissingPods), "pod"))
			}
			lines = append(lines, line)
		}
	}
	pods = slices.Compact(pods) // failures come by name
	lines = slices.Compact(lines)
	if len(lines) > shownNames {
		lines = append(lines[:shownNames], fmt.Sprintf("and %d more", len(lines)-shownNames))
	}
	if len(pods) > 0 {
		line := plural(len(pods), "pod") + " " + some(pods)
		if len(containers) > 0 {
			line += fmt.Sprintf(" (%s %s)", plural(len(containers), "container"), some(containers))
		}
		lines = append([]string{line}, lines...)
	}
	if stalled {
		lines = append(lines, "the rollout has stalled")
	}
	return lines
}

// some names the first few.
func some(names []string) string {
	if len(names) <= shownNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ", "), len(names)-shownNames)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func cleanAll(texts []string) []string {
	for i := range texts {
		texts[i] = clean(texts[i])
	}
	return texts
}

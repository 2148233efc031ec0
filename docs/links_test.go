package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// repository is where links of alerts, charts and images lead; what they name must be in this tree.
const repository = "https://github.com/kube-failure-exporter/kube-failure-exporter/"

var (
	markdownLink = regexp.MustCompile(`\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	image        = regexp.MustCompile(`!\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	codeBlock    = regexp.MustCompile("(?ms)^ *```[^\n]*\n.*?^ *```$")
	inlineCode   = regexp.MustCompile("`[^`]*`")
	// A sentence's end belongs to no address.
	ownAddress = regexp.MustCompile(regexp.QuoteMeta(repository) + `(?:blob|tree)/main/[^\s"'<>)\]}|,\\` + "`" + `]*`)
)

// TestLinks follows every link of every page of the repository that leads into the repository: files, folders and headings must be there.
func TestLinks(t *testing.T) {
	pages := files(t, func(name string) bool { return strings.HasSuffix(name, ".md") })
	links := 0
	for _, page := range pages {
		text := read(t, page)
		for _, link := range linksOf(text) {
			links++
			follow(t, page, link)
		}
	}
	if len(pages) < 100 || links < 400 {
		t.Errorf("only %d links in %d pages: are they still found?", links, len(pages))
	}
}

// linksOf lists where a page's links and pictures lead, those outside of code.
func linksOf(text string) []string {
	prose := inlineCode.ReplaceAllString(codeBlock.ReplaceAllString(text, ""), "code")
	var links []string
	for _, m := range image.FindAllStringSubmatch(prose, -1) {
		links = append(links, m[1])
	}
	for _, m := range markdownLink.FindAllStringSubmatch(image.ReplaceAllString(prose, "picture"), -1) {
		links = append(links, m[1])
	}
	return links
}

// TestOwnAddresses follows what any file says is at the project's address, such as the causes' pages in the alerts.
func TestOwnAddresses(t *testing.T) {
	found := map[string]string{}
	for _, name := range files(t, func(name string) bool {
		return slices.Contains([]string{".go", ".md", ".yaml", ".yml", ".json", ".libsonnet", ".tmpl", ".tpl", ".txt"}, filepath.Ext(name))
	}) {
		for _, address := range ownAddress.FindAllString(read(t, name), -1) {
			found[strings.TrimRight(address, ".:")] = name
		}
	}
	for address, name := range found {
		_, path, _ := strings.Cut(strings.TrimPrefix(address, repository), "/main/")
		if template(path) {
			continue
		}
		follow(t, filepath.Join("..", "README.md"), path)
		if t.Failed() {
			t.Fatalf("that is in %s", name)
		}
	}
	if len(found) < 100 {
		t.Errorf("only %d addresses: are they still found?", len(found))
	}
}

// template says that an address goes on with what only a program fills in.
func template(path string) bool { return strings.ContainsAny(path, "$%{") }

// follow complains about a link of a page that leads nowhere.
func follow(t *testing.T, page, link string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Errorf("%s: %s is no link: %v", page, link, err)
		return
	}
	if u.Scheme != "" {
		if u.Scheme != "https" && u.Scheme != "mailto" {
			t.Errorf("%s: %s is not https", page, link)
		}
		return
	}
	target := filepath.Join(filepath.Dir(page), filepath.FromSlash(u.Path))
	if u.Path == "" {
		target = page
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s: %s leads nowhere: %v", page, link, err)
		return
	}
	if u.Fragment != "" && !slices.Contains(anchors(read(t, target)), u.Fragment) {
		t.Errorf("%s: %s has no such heading", page, link)
	}
}

var (
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.*?) *#*$`)
	linkText  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are what GitHub calls the headings of a page: lower case, spaces to dashes, and a number from the second of a name on.
func anchors(text string) []string {
	var all []string
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		slug := notInSlug.ReplaceAllString(strings.ToLower(linkText.ReplaceAllString(m[1], "$1")), "")
		slug = strings.ReplaceAll(slug, " ", "-")
		n := seen[slug]
		seen[slug]++
		if n > 0 {
			slug += "-" + strconv.Itoa(n)
		}
		all = append(all, slug)
	}
	return all
}

func TestAnchors(t *testing.T) {
	const page = "# Title\n\n## `for`\n\n```\n# no heading\n```\n## Scrape it with `honor_labels: true`\n## A [link](x.md), and more\n## for\n"
	want := []string{"title", "for", "scrape-it-with-honor_labels-true", "a-link-and-more", "for-1"}
	if got := anchors(page); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinksOf(t *testing.T) {
	const page = "[a](b.md), ![c](d.png \"title\"), [![e](f.svg)](g.md#h), [i [j]](<k.md>), `[l](m.md)`\n```yaml\n[n](o.md)\n```\n[p](#q)\n"
	if got, want := linksOf(page), []string{"d.png", "f.svg", "b.md", "g.md#h", "k.md", "#q"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// files lists the files of the repository that a person would read or load; what tests compare with, and what others wrote, is left out.
func files(t *testing.T, wanted func(string) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "node_modules", "testdata", "reports", "dist", "bin"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if wanted(path) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMigratingNamesAlerts proves that each alert which is said to replace another one is among the rules.
func TestMigratingNamesAlerts(t *testing.T) {
	rules := read(t, "../alerts/prometheusrule.yaml")
	names := regexp.MustCompile("`(Pod[A-Z][A-Za-z]+)`").FindAllStringSubmatch(read(t, "migrating.md"), -1)
	for _, m := range names {
		if !strings.Contains(rules, "- alert: "+m[1]+"\n") {
			t.Errorf("migrating.md: no alert is called %s", m[1])
		}
	}
	if len(names) == 0 {
		t.Error("migrating.md names no alert")
	}
}

// TestVersions holds what the pages tell to install and to verify against the version that is released next.
func TestVersions(t *testing.T) {
	want := strings.TrimSuffix(strings.TrimSpace(read(t, "../VERSION")), "-dev")
	ours := regexp.MustCompile(`(?:kube-failure-exporter[_:]v?|[?]ref=v|git checkout v|--version )(\d+\.\d+\.\d+)`)
	pages := map[string]bool{}
	for _, page := range files(t, func(name string) bool { return strings.HasSuffix(name, ".md") }) {
		for _, m := range ours.FindAllStringSubmatch(read(t, page), -1) {
			if pages[page] = true; m[1] != want {
				t.Errorf("%s: %s, VERSION says %s", page, m[0], want)
			}
		}
	}
	if len(pages) < 4 {
		t.Errorf("only %v name a version", pages)
	}
}

// TestReadmeCountsCauses holds the number in the README against the catalogue.
func TestReadmeCountsCauses(t *testing.T) {
	if want := "[" + strconv.Itoa(len(catalogue(t).Pages())) + " causes]"; !strings.Contains(read(t, "../README.md"), want) {
		t.Errorf("README.md does not say %s", want)
	}
}

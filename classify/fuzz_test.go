package classify

import (
	"testing"
	"unicode/utf8"
)

// seed adds the messages that the rules were made for.
func seed(f *testing.F) {
	c := New(DefaultOptions())
	for _, table := range ruleTables(c) {
		for _, r := range table.rules {
			for _, m := range append(append([]string(nil), r.made...), r.near...) {
				f.Add(m)
			}
		}
	}
	f.Add("")
	f.Add("\xff\xfe")
}

func FuzzParseQuota(f *testing.F) {
	seed(f)
	f.Add(`exceeded quota: q, requested: cpu=1e999999999, used: cpu=-1, limited: cpu=99999999999999999999Ei`)
	f.Add(`failed quota: q: must specify , for: ;; for: a`)
	c := New(DefaultOptions())
	f.Fuzz(func(t *testing.T, message string) {
		q, _, ok := ParseQuota(message)
		if ok != (q != nil) {
			t.Fatalf("ok = %v, quota = %v", ok, q)
		}
		c.tellCreate(message)
		if q == nil {
			return
		}
		if len(q.Name) > len(message) || len(q.Resources) > len(message) {
			t.Errorf("%d resources from %d bytes", len(q.Resources), len(message))
		}
		for i, r := range q.Resources {
			if r.Resource == "" || i > 0 && r.Resource <= q.Resources[i-1].Resource {
				t.Errorf("resource %d is %q after %v: names are set, sorted and once", i, r.Resource, q.Resources[:i])
			}
			if r.Requested != nil && len(r.Requested.String()) > 128 {
				t.Errorf("a quantity of %d bytes", len(r.Requested.String()))
			}
		}
	})
}

func FuzzParseScheduling(f *testing.F) {
	seed(f)
	c := New(DefaultOptions())
	for _, phrase := range c.sched {
		for _, m := range phrase.made {
			f.Add("0/3 nodes are available: 2 " + m + ", 1 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found.")
			f.Add("No nodes are available that match all of the predicates: " + m + " (3).")
		}
	}
	f.Fuzz(func(t *testing.T, message string) {
		seen := map[Cause]bool{}
		for _, count := range c.ParseScheduling(message) {
			if count.Nodes < 0 || count.Cause == "" || seen[count.Cause] {
				t.Errorf("count %+v is negative, without a cause, or there twice", count)
			}
			seen[count.Cause] = true
		}
	})
}

func FuzzTellImage(f *testing.F) {
	seed(f)
	c, causes := New(DefaultOptions()), map[Cause]bool{}
	for _, page := range mustCatalogue(f).Pages() {
		causes[page.Cause] = true
	}
	f.Fuzz(func(t *testing.T, message string) {
		for _, image := range []string{"", "nginx:1", message} {
			for _, exists := range []bool{false, true} {
				cause, known := c.tellImage("ErrImagePull", message, image, func(string) bool { return exists })
				if !causes[cause] || !known && cause != ImagePullFailed {
					t.Errorf("cause %q, known %v", cause, known)
				}
				if again, _ := c.tellImage("ImagePullBackOff", message, image, func(string) bool { return exists }); again != cause {
					t.Errorf("ErrImagePull tells %s, ImagePullBackOff %s", cause, again)
				}
			}
		}
	})
}

func FuzzRedact(f *testing.F) {
	seed(f)
	for _, m := range hidden {
		f.Add(m)
	}
	for _, m := range plainMessages {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, message string) {
		once := Redact(message)
		if !utf8.ValidString(once) || len(once) > shown+len("…") {
			t.Fatalf("%d bytes, valid UTF-8: %v", len(once), utf8.ValidString(once))
		}
		if twice := Redact(once); twice != once {
			t.Errorf("once  %q\ntwice %q", once, twice)
		}
	})
}

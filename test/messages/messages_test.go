package messages

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestMessages runs the exporter's "diagnose -o json" over real messages and compares the told causes with the true ones.
//
// The environment variable KFE_MESSAGES names a file of records, one JSON object a line. It is not part of the project,
// because real messages belong to those who wrote them; without it the test is skipped. The keys of a record:
//
//	id         names the record, and its namespace
//	family     the family of the true cause
//	cause      the true cause
//	accept     other causes that count as right, where the evidence ties
//	field      where the message stands: event, waiting, terminated, condition, status
//	reason     Kubernetes' reason beside it, "" where it is not known
//	message    the text
//	image      what the container asks for, "" where it is not known
//	exit_code  the container's exit code, null where there is none
//	from_logs  true where the text is the container's output
//	quota      of a quota's message: name, resources, requested, used, limited
//	causes     of a scheduler's message: all causes that it holds
//
// A record becomes an object: waiting and terminated a pod with that container state; an event a pod that waits for the
// same reason (or a ReplicaSet or StatefulSet that cannot create pods) and the event about it; a condition the ReplicaSet
// with ReplicaFailure or the pod with PodScheduled=False; a status the pod's status.reason and message.
func TestMessages(t *testing.T) {
	records := readRecords(t)
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	binary := build(t)
	for i, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			var s score
			told := map[string]answer{}
			batches := [][]record{records}
			if lonely := i == 0 || v.name == bare; lonely && !testing.Short() {
				batches = slices.Collect(slices.Chunk(records, 1)) // alone, a record's own times are all there are
			}
			for _, batch := range batches {
				diagnose(t, binary, batch, v, told)
			}
			for i := range records {
				s.add(catalogue, &records[i], told[namespace(&records[i])])
			}
			s.report(t)
		})
	}
}

// build makes the exporter's binary from the sources beside this module.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kube-failure-exporter")
	command := exec.Command("go", "build", "-o", binary, "./cmd/exporter")
	command.Dir = filepath.Join("..", "..")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building the exporter: %v\n%s", err, output)
	}
	return binary
}

// failureJSON is what this test reads of a failure in the JSON that diagnose prints.
type failureJSON struct {
	Namespace string         `json:"namespace"`
	Cause     classify.Cause `json:"cause"`
	Quota     *struct {
		Name      string `json:"name"`
		Resources []struct {
			Resource  string             `json:"resource"`
			Requested *resource.Quantity `json:"requested"`
			Used      *resource.Quantity `json:"used"`
			Hard      *resource.Quantity `json:"hard"`
		} `json:"resources"`
	} `json:"quota"`
}

// diagnose runs the binary over the objects of a batch of records and collects what it tells of each.
func diagnose(t *testing.T, binary string, batch []record, v variant, told map[string]answer) {
	t.Helper()
	var items []runtime.Object
	for i := range batch {
		o := makeObjects(&batch[i])
		v.change(o, &batch[i])
		items = append(items, o.all()...)
	}
	path := filepath.Join(t.TempDir(), "objects.json")
	if err := os.WriteFile(path, listOf(t, items), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	command := exec.Command(binary, "diagnose", "-o", "json", "-f", path)
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2) {
		t.Fatalf("diagnose: %v\n%s", err, stderr.String())
	}
	var document struct {
		Failures []failureJSON `json:"failures"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatalf("diagnose's JSON: %v", err)
	}
	for _, f := range document.Failures {
		told[f.Namespace] = f.add(told[f.Namespace])
	}
}

// add joins a failure to the answer about its record.
func (f *failureJSON) add(a answer) answer {
	if a.Cause != "" && a.Cause != f.Cause {
		a.Others = append(a.Others, f.Cause)
	}
	a.Cause = cmp.Or(a.Cause, f.Cause)
	if f.Quota != nil && a.Quota == nil {
		a.Quota = &classify.Quota{Name: f.Quota.Name}
		for _, r := range f.Quota.Resources {
			a.Quota.Resources = append(a.Quota.Resources, classify.QuotaResource{
				Resource: r.Resource, Requested: r.Requested, Used: r.Used, Hard: r.Hard,
			})
		}
	}
	return a
}

// namespace is where a record's objects stand.
func namespace(r *record) string { return fmt.Sprintf("record-%s", r.ID) }

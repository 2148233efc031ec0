package collector

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// taped is one watch event of a recording.
type taped struct {
	at       time.Duration // since the start of the recording
	kind     watch.EventType
	resource string
	object   runtime.Object
}

// tapeLine is how a recording holds a watch event: one JSON object a line.
type tapeLine struct {
	T      float64         `json:"t"`
	Type   watch.EventType `json:"type"`
	Object json.RawMessage `json:"object"`
}

// readTape reads a gzip'ed recording and moves every time in it by shift.
func readTape(r io.Reader, shift time.Duration) ([]taped, error) {
	var events []taped
	err := eachLine(r, func(line []byte) (bool, error) {
		event, err := readTaped(line, shift)
		events = append(events, event)
		return true, err
	})
	return events, err
}

// tapeStart is when a recording began, by the creation of the first pod that was added in it.
func tapeStart(r io.Reader) (time.Time, error) {
	var start time.Time
	err := eachLine(r, func(line []byte) (bool, error) {
		event, err := readTaped(line, 0)
		if pod, ok := event.object.(*corev1.Pod); ok && event.kind == watch.Added {
			start = pod.CreationTimestamp.Add(-event.at)
		}
		return start.IsZero(), err
	})
	if err == nil && start.IsZero() {
		err = errors.New("the recording holds no new pod")
	}
	return start, err
}

// eachLine visits the lines of a gzip'ed recording for as long as visit wants more.
func eachLine(r io.Reader, visit func(line []byte) (more bool, err error)) error {
	plain, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("opening the recording: %w", err)
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		more, err := visit(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d of the recording: %w", number, err)
		}
		if !more {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the recording: %w", err)
	}
	return nil
}

func readTaped(text []byte, shift time.Duration) (taped, error) {
	var line tapeLine
	if err := json.Unmarshal(shiftTimes(text, shift), &line); err != nil {
		return taped{}, err
	}
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(line.Object, &kind); err != nil {
		return taped{}, err
	}
	resource, object, err := newOfKind(kind.Kind)
	if err != nil {
		return taped{}, err
	}
	if err := json.Unmarshal(line.Object, object); err != nil {
		return taped{}, err
	}
	return taped{at: time.Duration(line.T * float64(time.Second)), kind: line.Type, resource: resource, object: object}, nil
}

func newOfKind(kind string) (resource string, object runtime.Object, err error) {
	switch kind {
	case "Pod":
		return "pods", &corev1.Pod{}, nil
	case "Event":
		return "events", &corev1.Event{}, nil
	case "Node":
		return "nodes", &corev1.Node{}, nil
	case "ResourceQuota":
		return "resourcequotas", &corev1.ResourceQuota{}, nil
	case "ReplicaSet":
		return "replicasets", &appsv1.ReplicaSet{}, nil
	case "Deployment":
		return "deployments", &appsv1.Deployment{}, nil
	case "StatefulSet":
		return "statefulsets", &appsv1.StatefulSet{}, nil
	case "DaemonSet":
		return "daemonsets", &appsv1.DaemonSet{}, nil
	case "Job":
		return "jobs", &batchv1.Job{}, nil
	}
	return "", nil, fmt.Errorf("unknown kind %q", kind)
}

var tapedTime = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"`)

// shiftTimes moves every time in a JSON text, so that a recording looks as if it were made now.
func shiftTimes(text []byte, shift time.Duration) []byte {
	if shift == 0 {
		return text
	}
	return tapedTime.ReplaceAllFunc(text, func(quoted []byte) []byte {
		format := time.RFC3339
		if len(quoted) > len(`"2006-01-02T15:04:05Z"`) {
			format = "2006-01-02T15:04:05.000000Z07:00"
		}
		at, err := time.Parse(time.RFC3339Nano, string(quoted[1:len(quoted)-1]))
		if err != nil {
			return quoted
		}
		return []byte(`"` + at.Add(shift).UTC().Format(format) + `"`)
	})
}

package collector

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// maxNesting bounds Lists in Lists.
const maxNesting = 16

var (
	errNoObject = errors.New("not a Kubernetes object: expected an object or a List with apiVersion and kind")
	errNoKind   = fmt.Errorf("it has no kind, so it is %w", errNoObject)
	errNesting  = errors.New("too many Lists within Lists")
)

// objectHead says what an object is.
type objectHead struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

func (h *objectHead) group() string {
	group, _, ok := strings.Cut(h.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// headOf reads what is known of a List before its items.
func headOf(fields map[string]json.RawMessage) *objectHead {
	h := &objectHead{}
	_ = json.Unmarshal(fields["apiVersion"], &h.APIVersion)
	_ = json.Unmarshal(fields["kind"], &h.Kind)
	return h
}

// add takes an object or a List. list is the List that it stands in, whose kind tells that of items without one.
func (in *input) add(raw json.RawMessage, list *objectHead, depth int) error {
	if depth > maxNesting {
		return errNesting
	}
	if string(raw) == "null" {
		return nil
	}
	if len(raw) > 0 && raw[0] == '[' {
		return in.addList(raw, &objectHead{}, depth)
	}
	if len(raw) == 0 || raw[0] != '{' {
		return errNoObject
	}
	var h objectHead
	if err := json.Unmarshal(raw, &h); err != nil {
		return objectError(raw, h, err)
	}
	if h.Kind == "" && list != nil && list.Kind != "List" {
		h.Kind, h.APIVersion = strings.TrimSuffix(list.Kind, "List"), cmp.Or(h.APIVersion, list.APIVersion)
	}
	if h.Kind == "" || strings.HasSuffix(h.Kind, "List") {
		var body struct {
			Items json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(raw, &body); err == nil && len(body.Items) > 0 {
			return in.addList(body.Items, &h, depth)
		}
	}
	if h.Kind == "" {
		return fmt.Errorf("%s: %w", describeObject(raw, h), errNoKind)
	}
	return in.addObject(raw, h)
}

func (in *input) addList(raw json.RawMessage, list *objectHead, depth int) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return errors.New("items is not a list")
	}
	for i, item := range items {
		if err := in.add(item, list, depth+1); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// addObject reads an object of a known kind. Old versions of a kind have the fields that count at the same places.
func (in *input) addObject(raw json.RawMessage, h objectHead) error {
	o := in.objects
	var err error
	switch h.Kind + "." + h.group() {
	case "Pod.":
		err = keepObject(in, h, raw, &o.Pods, func(pod *corev1.Pod) { in.podTimes(pod) })
	case "Event.":
		err = keepObject(in, h, raw, &o.Events, func(event *corev1.Event) { in.eventTimes(event) })
	case "Event.events.k8s.io":
		err = in.addEvent(raw, h)
	case "Node.":
		err = keepObject(in, h, raw, &o.Nodes, func(node *corev1.Node) { in.nodeTimes(node) })
	case "ResourceQuota.":
		err = keepObject(in, h, raw, &o.Quotas, func(*corev1.ResourceQuota) {})
	case "Namespace.":
		err = keepObject(in, h, raw, &o.Namespaces, func(namespace *corev1.Namespace) { in.namespaceTimes(namespace) })
	case "ReplicaSet.apps", "ReplicaSet.extensions":
		err = keepController(in, h, raw, func(set *appsv1.ReplicaSet) { in.replicaSetTimes(set) })
	case "Deployment.apps", "Deployment.extensions":
		err = keepController(in, h, raw, func(deployment *appsv1.Deployment) { in.deploymentTimes(deployment) })
	case "StatefulSet.apps":
		err = keepController(in, h, raw, func(*appsv1.StatefulSet) {})
	case "DaemonSet.apps", "DaemonSet.extensions":
		err = keepController(in, h, raw, func(*appsv1.DaemonSet) {})
	case "Job.batch":
		err = keepController(in, h, raw, func(job *batchv1.Job) { in.jobTimes(job) })
	case "CronJob.batch":
		err = keepController(in, h, raw, func(job *batchv1.CronJob) { in.cronJobTimes(job) })
	default:
		o.Skipped[strings.TrimSuffix(h.Kind+"."+h.group(), ".")]++
	}
	if err != nil {
		return objectError(raw, h, err)
	}
	return nil
}

// apiObject is a pointer to one of the API's types.
type apiObject[T any] interface {
	*T
	metav1.Object
}

// objectKey names an object of the input.
type objectKey struct{ kind, namespace, name string }

func decodeObject[T any, P apiObject[T]](in *input, raw json.RawMessage, times func(P)) (P, error) {
	if err := checkQuantities(raw); err != nil {
		return nil, err
	}
	o := P(new(T))
	if err := json.Unmarshal(raw, o); err != nil {
		return nil, err
	}
	o.SetManagedFields(nil)
	in.seeTime(o.GetCreationTimestamp().Time)
	times(o)
	return o, nil
}

func keepObject[T any, P apiObject[T]](in *input, h objectHead, raw json.RawMessage, into *[]P, times func(P)) error {
	o, err := decodeObject(in, raw, times)
	if err != nil {
		return err
	}
	putObject(in, objectKey{h.Kind, o.GetNamespace(), o.GetName()}, into, o)
	return nil
}

func keepController[T any, P apiObject[T]](in *input, h objectHead, raw json.RawMessage, times func(P)) error {
	o, err := decodeObject(in, raw, times)
	if err != nil {
		return err
	}
	controller, ok := classify.ControllerOf(o)
	if !ok {
		return fmt.Errorf("kind %s is no controller", h.Kind)
	}
	putObject(in, objectKey{h.Kind, o.GetNamespace(), o.GetName()}, &in.objects.Controllers, controller)
	return nil
}

// putObject adds an object, or replaces its earlier copy. Objects without a name cannot be told apart and are all kept.
func putObject[T any](in *input, key objectKey, into *[]T, value T) {
	if at, ok := in.seen[key]; ok && key.name != "" {
		(*into)[at] = value
		return
	}
	in.seen[key] = len(*into)
	*into = append(*into, value)
}

// addEvent takes an event of the newer API as the older one would show it: they are the same object in the API server.
func (in *input) addEvent(raw json.RawMessage, h objectHead) error {
	event, err := decodeObject(in, raw, func(*eventsv1.Event) {})
	if err != nil {
		return err
	}
	converted := &corev1.Event{
		ObjectMeta: event.ObjectMeta, InvolvedObject: event.Regarding, Related: event.Related, Reason: event.Reason, Message: event.Note,
		Type: event.Type, Action: event.Action, EventTime: event.EventTime, Source: event.DeprecatedSource,
		FirstTimestamp: event.DeprecatedFirstTimestamp, LastTimestamp: event.DeprecatedLastTimestamp, Count: event.DeprecatedCount,
		ReportingController: event.ReportingController, ReportingInstance: event.ReportingInstance,
	}
	if event.Series != nil {
		converted.Series = &corev1.EventSeries{Count: event.Series.Count, LastObservedTime: event.Series.LastObservedTime}
	}
	in.eventTimes(converted)
	putObject(in, objectKey{h.Kind, event.Namespace, event.Name}, &in.objects.Events, converted)
	return nil
}

// objectError names the object, and the field where that is known.
func objectError(raw json.RawMessage, h objectHead, err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: field %s is of the wrong type: found %s, want %s", describeObject(raw, h), wrong.Field, wrong.Value, wrong.Type)
	}
	return fmt.Errorf("%s: %w", describeObject(raw, h), err)
}

// describeObject names an object as well as it can be read.
func describeObject(raw json.RawMessage, h objectHead) string {
	var o struct {
		Metadata struct {
			Name      any `json:"name"`
			Namespace any `json:"namespace"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(raw, &o) // half of a name is better than none
	name, _ := o.Metadata.Name.(string)
	if namespace, _ := o.Metadata.Namespace.(string); namespace != "" {
		name = namespace + "/" + name
	}
	return strings.TrimSpace(cmp.Or(h.Kind, "object") + " " + cmp.Or(name, "without a name"))
}

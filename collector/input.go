package collector

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Objects are what diagnose looks at: the objects of files instead of a cluster's.
type Objects struct {
	Pods        []*corev1.Pod
	Events      []*corev1.Event
	Controllers []classify.Controller
	Nodes       []*corev1.Node
	Quotas      []*corev1.ResourceQuota
	Namespaces  []*corev1.Namespace
	// Skipped counts the objects of kinds that say nothing about failures, by kind, with the group unless it is core's.
	Skipped map[string]int
	// Newest is the newest time that any of the objects mentions: about when they were taken.
	Newest time.Time
}

// inputCommand makes an input that diagnose can read.
const inputCommand = "kubectl get pods,events,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs," +
	"resourcequotas,nodes,namespaces -A -o json"

// standardInput is the path that stands for stdin.
const standardInput = "-"

// ReadObjects reads files, folders and "-" for stdin, as JSON or YAML: objects, Lists, several documents one after the
// other. Of an object that occurs more than once the last counts.
func ReadObjects(paths []string, stdin io.Reader) (*Objects, error) {
	if len(paths) == 0 {
		return nil, errors.New("no input is named: give a file, a folder, or - for standard input, made with: " + inputCommand)
	}
	in := &input{objects: &Objects{Skipped: map[string]int{}}, seen: map[objectKey]int{}}
	stdinRead := false
	for _, path := range paths {
		documents := in.documents
		var err error
		switch {
		case path != standardInput:
			err = in.readPath(path)
		case stdinRead:
			err = errors.New("standard input is named twice")
		default:
			stdinRead = true
			err = in.read("standard input", stdin)
		}
		if err != nil {
			return nil, err
		}
		if in.documents == documents {
			return nil, fmt.Errorf("%s is empty: make an input with: %s", inputName(path), inputCommand)
		}
	}
	return in.objects, nil
}

func inputName(path string) string {
	if path == standardInput {
		return "standard input"
	}
	return path
}

// input is the state of one reading.
type input struct {
	objects *Objects
	// seen says where in its slice an object stands, so that a later copy replaces it.
	seen      map[objectKey]int
	documents int
}

func (in *input) readPath(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading the input: %w", err)
	}
	if !info.IsDir() {
		return in.readFile(path)
	}
	found := false
	err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || !isInputFile(file) {
			return nil
		}
		if target, err := os.Stat(file); err != nil || target.IsDir() {
			return err // a link to nowhere, or to a folder
		}
		found = true
		return in.readFile(file)
	})
	if err != nil {
		return fmt.Errorf("reading folder %s: %w", path, err)
	}
	if !found {
		return fmt.Errorf("folder %s has no *.json, *.yaml or *.yml file: make one with: %s", path, inputCommand)
	}
	return nil
}

func isInputFile(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

func (in *input) readFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the input: %w", err)
	}
	defer file.Close()
	return in.read(path, file)
}

// errUTF16 is what a shell of Windows makes of redirected output.
var errUTF16 = errors.New("the text is UTF-16: write it as UTF-8 (in PowerShell: … | Out-File -Encoding utf8 FILE)")

// read reads one stream. Every error names it.
func (in *input) read(name string, r io.Reader) error {
	b := bufio.NewReaderSize(r, 64<<10)
	first, line, err := firstByte(b)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
	case first == '{' || first == '[':
		err = in.readJSON(b, line)
	default:
		err = in.readYAML(b, line)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// firstByte returns the byte that tells JSON from YAML, unread, and the line that reading goes on at. Blank lines before
// it may be gone; spaces before YAML mean something and stay.
func firstByte(b *bufio.Reader) (first byte, line int, err error) {
	if mark, _ := b.Peek(2); bytes.Equal(mark, []byte{0xff, 0xfe}) || bytes.Equal(mark, []byte{0xfe, 0xff}) {
		return 0, 0, errUTF16
	}
	if mark, _ := b.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = b.Discard(len(mark))
	}
	for line = 1; ; {
		text, err := b.Peek(4 << 10)
		if len(text) == 0 {
			return 0, line, err
		}
		if rest := bytes.TrimLeft(text, " \t\r\n"); len(rest) > 0 {
			return rest[0], line, nil
		}
		line += bytes.Count(text, []byte("\n"))
		_, _ = b.Discard(len(text))
	}
}

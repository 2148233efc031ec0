package chart

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestExporter runs the real program with what each rendering gives it, and asks as the kubelet would. So a flag that it does not have, a
// limit that the Go runtime cannot read, and a probe that is not let in are seen.
func TestExporter(t *testing.T) {
	binary := filepath.Join(t.TempDir(), name)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)
	for set, i := range valueSets(t) {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			pod, c := container(t, decode(t, i.render(t)))
			root := t.TempDir()
			web := mountSecrets(t, root, pod, c)
			address := start(t, binary, root, c)
			for what, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
				// There is no cluster to read, so it lives, and is not ready.
				want := http.StatusOK
				if what == "readiness" {
					want = http.StatusServiceUnavailable
				}
				if got := asked(t, address, probe); got != want && got != 0 {
					t.Errorf("%s: %d, want %d", what, got, want)
				} else if open := probe.TCPSocket != nil; open != (set == "web") {
					t.Errorf("%s only looks whether the port is open: %t", what, open)
				}
			}
			// Else the file that was mounted would not be the one that is read.
			if web && asked(t, address, get(c.LivenessProbe)) != http.StatusUnauthorized {
				t.Error("it lets in who has no password")
			}
		})
	}
}

// get is the same question without headers.
func get(probe *corev1.Probe) *corev1.Probe {
	action := corev1.HTTPGetAction{Path: "/-/healthy", Scheme: corev1.URISchemeHTTP}
	if probe.TCPSocket != nil {
		action.Scheme = corev1.URISchemeHTTPS
	}
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &action}}
}

// asked returns the answer's status, or 0 for a port that is open.
func asked(t *testing.T, address string, probe *corev1.Probe) int {
	t.Helper()
	if probe.TCPSocket != nil {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		connection.Close()
		return 0
	}
	url := strings.ToLower(string(probe.HTTPGet.Scheme)) + "://" + address + probe.HTTPGet.Path
	if probe.HTTPGet.Scheme == "" {
		url = "http" + url
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range probe.HTTPGet.HTTPHeaders {
		request.Header.Set(h.Name, h.Value)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// mountSecrets writes below root what the pod's Secrets would hold, and says whether there are any.
func mountSecrets(t *testing.T, root string, pod *corev1.PodSpec, c *corev1.Container) bool {
	t.Helper()
	// The password is "fakepassword": its hash is one that exporter-toolkit has in its code.
	config := "basic_auth_users:\n  kubelet: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n"
	found := false
	for _, v := range pod.Volumes {
		for _, m := range c.VolumeMounts {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			found = true
			files := map[string]string{}
			for _, item := range v.Secret.Items {
				files[item.Path] = config
			}
			if len(files) == 0 {
				files["tls.crt"], files["tls.key"] = certificate(t)
				config += "tls_server_config:\n  cert_file: " + root + m.MountPath + "/tls.crt\n  key_file: " + root + m.MountPath + "/tls.key\n"
				write(t, root+"/etc/kube-failure-exporter/web/web.yml", config)
			}
			for name, text := range files {
				write(t, filepath.Join(root+m.MountPath, name), text)
			}
		}
	}
	return found
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	pair := server.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

const kubeconfig = `
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none}}]
current-context: none
`

// start runs the container until it listens, and returns where.
func start(t *testing.T, binary, root string, c *corev1.Container) (address string) {
	t.Helper()
	args := []string{"--web.listen-address=127.0.0.1:0"}
	for _, arg := range c.Args {
		args = append(args, strings.ReplaceAll(arg, "=/etc/", "="+root+"/etc/"))
	}
	write(t, filepath.Join(root, "kubeconfig"), kubeconfig)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(environment(c), "KUBECONFIG="+filepath.Join(root, "kubeconfig"))
	log, err := os.Create(filepath.Join(root, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, or its log tells why it ended
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	listening := regexp.MustCompile(`Listening on"[ ,]+"?address"?[=:]"?([\d.:]+)`)
	for {
		text, err := os.ReadFile(log.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found := listening.FindSubmatch(text); found != nil {
			return string(found[1])
		}
		select {
		case <-ended:
			t.Fatalf("%s %s has ended:\n%s", name, strings.Join(args, " "), text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// environment is the container's, as the kubelet would fill it in.
func environment(c *corev1.Container) []string {
	var env []string
	memory := strconv.FormatInt(c.Resources.Limits.Memory().Value()>>20, 10)
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			env = append(env, e.Name+"="+strings.ReplaceAll(e.Value, "$(MEMORY_LIMIT_MEBIBYTES)", memory))
		}
	}
	return env
}

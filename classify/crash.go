package classify

import (
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// wordsRules returns the rules for an application's own last words, which stand in the termination message where the
// container has terminationMessagePolicy FallbackToLogsOnError or writes them itself. Only the plainest are taken for
// a cause; everything else an application says is its own affair.
func wordsRules() table {
	return table{
		{
			cause: AppPermissionDenied,
			// An errno in words ends its clause; "permission denied for", "to", "on" and "(publickey" are about something else.
			pattern: regexp.MustCompile(`(?m)(: |- |\] |\(|")permission denied(["'),:;.\]]|\s*$| in /| at /| \(os error)|` +
				`(chown|chmod|chgrp|ownership|permissions|mkdir|open|unlink|eperm).*operation not permitted|access to the path '[^']*' is denied|` +
				`read-only file system|\beacces\b|\berofs\b|permissionerror: |nio\.file\.accessdeniedexception`),
			none: []string{ // a login or a port, not a file
				"permission denied, please try again", "access denied for user", "pq: permission denied", "bind: permission denied", "bind() to",
				"connect: permission denied", "listen eacces", "socket: permission denied",
			},
			made: []string{
				"sh: can't create /data/out: Read-only file system",
				"nginx: [emerg] open() \"/var/run/nginx.pid\" failed (13: Permission denied)",
				"Error: EACCES: permission denied, mkdir '/app/cache'",
				`Error: Os { code: 13, kind: PermissionDenied, message: "Permission denied" }`,
				"PHP Warning: fopen(/data/log): failed to open stream: Permission denied in /app/index.php on line 3",
				"mysqld: Can't create/write to file '/data/is_writable' (Errcode: 13 - Permission denied)",
				"System.UnauthorizedAccessException: Access to the path '/app/keys' is denied.",
			},
			near: []string{
				`FATAL: pq: permission denied for table users`,
				`git@example.org: Permission denied (publickey).`,
				"Error making API request.\n\nURL: PUT http://vault.example:8200/v1/auth/login\nCode: 403. Errors:\n\n* permission denied",
				`listen tcp :80: bind: permission denied`,
				`Error: listen EACCES: permission denied 0.0.0.0:80`,
				`AccessDeniedException: User: arn:example:web is not authorized to perform: GetItem`,
				`iptables: can't initialize table: Operation not permitted`,
				"iptables: can't initialize table: Permission denied (you must be root)",
				"remote: Permission denied to web-bot.\nfatal: unable to access 'https://git.example/web.git/': 403",
			},
		},
		{
			cause: AppFileMissing,
			pattern: regexp.MustCompile(`no such file or directory|nonexistent directory|\benoent\b|filenotfounderror|nosuchfileexception|` +
				`filenotfoundexception|cannot find module '[./]|can't open file '|can't open '[^']*': no such`),
			none: []string{".sock: connect", "dial unix", "dial tcp"},
			made: []string{
				"starting\nsh: can't create /data/out/file: nonexistent directory\n",
				"Error: ENOENT: no such file or directory, open '/etc/app/config.yaml'",
				"panic: open /etc/app.yaml: no such file or directory",
			},
			near: []string{`dial unix /var/run/app.sock: connect: no such file or directory`},
		},
	}
}

// ended is one end of a container with all that may say why.
type ended struct {
	state   *corev1.ContainerStateTerminated
	events  []*corev1.Event
	mustRun bool
}

// tellEnd returns why a container ended, in which family that is known, and whether any rule knew. What Kubernetes says
// itself (OOMKilled, a probe's kill) comes before the application's words, those before the bare exit code.
func (c *Classifier) tellEnd(e ended) (Cause, Family, bool) {
	t := e.state
	switch t.Reason {
	case "OOMKilled":
		return OOMKilled, FamilyCrash, true
	case "StartError", "ContainerCannotRun":
		cause, ok := c.tellStart("", t.Message)
		return cause, FamilyStart, ok
	case "ContainerStatusUnknown":
		return ContainerStatusUnknown, FamilyCrash, true
	}
	if cause, ok := killedBy(e); ok {
		if cause == PostStartHookFailed {
			return cause, FamilyStart, true
		}
		return cause, FamilyCrash, true
	}
	if t.ExitCode != 0 && t.Message != "" {
		message := unescape(unwrap(t.Message))
		if runtimeWords.MatchString(message) {
			if cause, ok := c.start.tell(message); ok {
				return cause, FamilyStart, true
			}
		}
		if cause, ok := c.lastWords(lastLines(message)); ok && t.ExitCode < 126 { // from 126 on the code is the shell's own word
			return cause, FamilyCrash, true
		}
	}
	return exitCause(t.ExitCode), FamilyCrash, true
}

// runtimeWords are those of a runtime that speaks through the container's output, because the exec failed after the
// container had started (opencontainers/runc libcontainer/standard_init_linux.go).
var runtimeWords = regexp.MustCompile("exec container process [(`]|" +
	`exec user process caused|^exec /\S+: |\nexec /\S+: |OCI runtime|container_linux\.go|exec format error`)

// lastWords tells a cause by what an application said last: a line that tells one counts only where no other error follows, because
// applications warn of a missing file and go on.
func (c *Classifier) lastWords(text string) (Cause, bool) {
	cause, ok := c.words.tell(text)
	if !ok {
		return "", false
	}
	lines := strings.Split(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if _, tells := c.words.tell(lines[i]); tells {
			return cause, true
		}
		if otherError.MatchString(lines[i]) {
			return "", false
		}
	}
	return cause, true
}

// otherError matches a line that names an error.
var otherError = regexp.MustCompile(`(?i)\b(panic|fatal|\w*exception|\w*error): |\[(emerg|crit|alert)\]|\b(econnrefused|etimedout|enotfound)\b`)

// lastLines is the end of a message: what an application says last is why it ended.
func lastLines(message string) string {
	const lines = 12
	message = strings.TrimSpace(message)
	at := len(message)
	for range lines {
		i := strings.LastIndexByte(message[:at], '\n')
		if i < 0 {
			return message
		}
		at = i
	}
	return message[at+1:]
}

// exitCause is what an exit code alone says. 128 + n is the shell's and the runtimes' way to say "ended by signal n".
func exitCause(code int32) Cause {
	switch code {
	case 0:
		return UnexpectedExit
	case 126:
		return CommandNotExecutable
	case 127:
		return CommandNotFound
	case 134:
		return Aborted
	case 137:
		return Killed
	case 139:
		return SegmentationFault
	case 143:
		return Terminated
	}
	return AppError
}

// killedBy finds the kubelet's own word that it ended this run: the Killing event of a failed probe or hook
// (kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions). Event recorders drop such events when a
// loop goes on for long (client-go tools/record, spam filter): an end by the same signals is then the same loop's.
func killedBy(e ended) (Cause, bool) {
	from, to := e.state.StartedAt.Time, e.state.FinishedAt.Add(5*time.Second)
	var before Cause
	for _, event := range e.events {
		cause := killer(event)
		if cause == "" || !e.state.FinishedAt.IsZero() && eventFirst(event).After(to) { // one event stands for all kills
			continue
		}
		if e.state.FinishedAt.IsZero() || !older(event, from) {
			return cause, true
		}
		if before == "" {
			before = cause
		}
	}
	signalled := e.state.ExitCode == 137 || e.state.ExitCode == 143
	return before, before != "" && signalled
}

// killer is the cause that an event gives for ending a container, "" where it gives none.
func killer(event *corev1.Event) Cause {
	switch {
	case event.Reason == "FailedPostStartHook":
		return PostStartHookFailed
	case event.Reason != "Killing":
	case strings.Contains(event.Message, "failed liveness probe"), strings.Contains(event.Message, "Container failed liveness"):
		return LivenessProbeFailed
	case strings.Contains(event.Message, "failed startup probe"):
		return StartupProbeFailed
	case strings.Contains(event.Message, "FailedPostStartHook"):
		return PostStartHookFailed
	}
	return ""
}

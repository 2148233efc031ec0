package classify

import (
	"regexp"
	"strings"
)

// maxMessage bounds what is read of one message: the API allows a mebibyte, no known message decides later than this.
const maxMessage = 16 << 10

// wrapping is what kubelets and event recorders put before the words that matter.
func wrapping() []string {
	return []string{"(combined from similar events): ", "Error: ", "Error creating: "}
}

// unwrap cuts a message to a bounded length of valid text, undoes nested quoting, and takes away what event recorders
// put before it.
func unwrap(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	message = strings.TrimSpace(strings.ToValidUTF8(message, "�"))
	message = fieldPathPrefix.ReplaceAllString(message, "")
	for again := true; again; {
		again = false
		for _, prefix := range wrapping() {
			if rest, ok := strings.CutPrefix(message, prefix); ok {
				message, again = rest, true
			}
		}
	}
	return message
}

// fieldPathPrefix is written by tools that print an event's field path before its message.
var fieldPathPrefix = regexp.MustCompile(`^spec\.(initContainers|containers)\{[^}]*\}: `)

// unescape undoes quoting within quoting (docker nests it up to three times) until nothing changes.
func unescape(message string) string {
	for range 4 {
		next := strings.ReplaceAll(strings.ReplaceAll(message, `\\`, `\`), `\"`, `"`)
		if next == message {
			break
		}
		message = next
	}
	return message
}

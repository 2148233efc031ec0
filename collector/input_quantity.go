package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// Parsing 1e-999999999 as a quantity takes minutes, as it is rounded up with all its digits; so do many digits before a
// large exponent. No API server hands out such an object, but a file may hold anything.
var endless = regexp.MustCompile(`^\s*[+-]?(?:[0-9.]+[eE]-|[0-9.]{17,}[eE]\+?)[0-9]{3,}\s*$`)

// maybeEndless is a fast look for what such a value consists of; parts of uids look like it too.
func maybeEndless(raw []byte) bool {
	mantissa := 0
	for i, c := range raw {
		switch {
		case c >= '0' && c <= '9' || c == '.':
			mantissa++
			continue
		case mantissa > 0 && (c == 'e' || c == 'E') && i+3 < len(raw):
			if next := raw[i+1]; next == '-' && isDigit(raw[i+2]) && isDigit(raw[i+3]) || mantissa >= 17 && (next == '+' || isDigit(next)) {
				return true
			}
		}
		mantissa = 0
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// checkQuantities refuses an object with such a value.
func checkQuantities(raw json.RawMessage) error {
	if !maybeEndless(raw) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil //nolint:nilerr // the end; the object has been parsed before, so that it is no broken one
		}
		switch value := token.(type) {
		case string:
			if endless.MatchString(value) {
				return fmt.Errorf("%.40q is no quantity", value)
			}
		case json.Number:
			if endless.MatchString(value.String()) {
				return fmt.Errorf("%.40s is no quantity", value)
			}
		}
	}
}

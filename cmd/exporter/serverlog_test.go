package main

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestServerLog(t *testing.T) {
	for line, want := range map[string]string{
		"http: TLS handshake error from 10.0.0.1:40112: EOF":                    "",
		"http: TLS handshake error from 10.0.0.1:40112: remote error: tls: bad": "level=WARN",
		"http: panic serving 10.0.0.1:40112: oh no\ngoroutine 1 [running]":      "level=WARN",
	} {
		var out bytes.Buffer
		newServerLog(slog.New(slog.NewTextHandler(&out, nil))).Println(line)
		if got := out.String(); want == "" && got != "" || !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("%s: logged %q, want %q in it", line, got, want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"log"
	"log/slog"
)

// serverLog takes what net/http says of connections and handlers into the log.
type serverLog struct{ logger *slog.Logger }

func newServerLog(logger *slog.Logger) *log.Logger { return log.New(serverLog{logger}, "", 0) }

// Write implements io.Writer. Whoever only looks whether the port is open, as a kubelet's probe does, ends a TLS handshake that has
// not begun: several times a minute, and no fault of anybody's.
func (s serverLog) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) && bytes.HasSuffix(bytes.TrimSpace(line), []byte(": EOF")) {
		level = slog.LevelDebug
	}
	s.logger.Log(context.Background(), level, "The HTTP server complains", "err", string(bytes.TrimSpace(line)))
	return len(line), nil
}

package main

import (
	"net/http"
	"time"
)

// turns lets few requests be served at a time: each answer about all that fails may take as much memory as the caches, while it is made and
// until it is read.
type turns chan struct{}

// atOnce is how many there are; patience is how long a request waits for its turn, which is less than the page waits that refreshes
// itself; and reading is how long an asker may take to read an answer, since it keeps its turn for so long.
const (
	atOnce   = 2
	patience = 5 * time.Second
	reading  = time.Minute
)

const tooMany = "too many ask at once: ask again in a second"

// later says when to ask again.
func later(w http.ResponseWriter) { w.Header().Set("Retry-After", "1") }

// limit serves requests when it is their turn, and refuses those that have waited in vain.
func (t turns) limit(serve, refuse http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case t <- struct{}{}:
			defer func() { <-t }()
			serve(w, r)
		case <-r.Context().Done(): // the asker has left
		case <-late.C:
			refuse(w, r)
		}
	}
}

// deliver writes an answer. An asker who has left, or does not read, gets no more of it.
func deliver(w http.ResponseWriter, code int, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reading)) // every writer of net/http can
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

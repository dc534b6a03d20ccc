// Package storms has the experiments that need no real upstream: they run in
// virtual time (testing/synctest), so that minutes take seconds and every run gives
// the same figures but for jitter. The stages are the real ones, assembled by
// pipeline.New from http.yaml; only the base is a simulation, [Upstream].
//
//	go test -v ./storms                        # the tables
//	go test ./storms -results ../results.md    # the same, into the page
//
// Each experiment is a test: it says what has to hold, and prints the table that
// shows by how much.
package storms

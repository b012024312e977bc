//go:build terminal

package cli_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// listener takes callbacks in place of a daemon: at one address, as often as it
// is up.
type listener struct {
	t    *testing.T
	url  string // of its root
	at   string
	http *http.Server

	mu      sync.Mutex
	status  int // what callbacks are answered with
	refused int // how many were not answered 200
	calls   []call
}

// call is one callback.
type call struct {
	Path   string
	Values url.Values
	Body   string
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{t: t, status: http.StatusOK, at: net.JoinHostPort("127.0.0.1", strconv.Itoa(quietPort(t)))}
	l.url = "http://" + l.at
	l.up()
	t.Cleanup(l.down)
	return l
}

// up lets callbacks in.
func (l *listener) up() {
	l.t.Helper()
	socket, err := net.Listen("tcp", l.at)
	if err != nil {
		l.t.Fatal(err)
	}
	l.http = &http.Server{Handler: l, ReadHeaderTimeout: longest}
	go func(s *http.Server) { _ = s.Serve(socket) }(l.http) // until down
}

// down refuses them.
func (l *listener) down() { _ = l.http.Close() } // what is open is cut

// answer has callbacks answered with a status, and those that are not answered 200
// forgotten.
func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status, l.refused = status, 0
}

// refusals is how many callbacks were not taken since answer.
func (l *listener) refusals() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // whatever came
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status != http.StatusOK {
		l.refused++
		w.WriteHeader(l.status)
		return
	}
	l.calls = append(l.calls, call{r.URL.Path, r.URL.Query(), string(body)})
}

// got is what came at a path, in order.
func (l *listener) got(path string) []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	var calls []call
	for _, c := range l.calls {
		if c.Path == path {
			calls = append(calls, c)
		}
	}
	return calls
}

// types are the kinds of the receipts at a path, sorted: they come in any order.
func (l *listener) types(path string) (types []string) {
	for _, c := range l.got(path) {
		types = append(types, c.Values.Get("type"))
	}
	slices.Sort(types)
	return types
}

// waitTypes waits until receipts of certain kinds have come.
func (l *listener) waitTypes(path string, want ...string) {
	l.t.Helper()
	slices.Sort(want)
	waitFor(l.t, fmt.Sprintf("receipts %v at %s", want, path), func() bool { return slices.Equal(l.types(path), want) })
}

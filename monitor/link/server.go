package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Handler carries out one command of peer and returns its result, which is
// encoded as JSON (nil for none). A *Fault in the error's tree goes out as it
// is, any other error as FaultFailed with its text. ctx lives for the command,
// not for the link: it ends after ServerOptions.CommandWithin, or a little
// after the daemon was told to end. Called from many goroutines at once.
type Handler func(ctx context.Context, peer Peer, cmd Command) (result any, err error)

// ServerOptions are what a Server needs. Only Handle is required.
type ServerOptions struct {
	Handle Handler
	Log    *slog.Logger     // nil = silent
	Now    func() time.Time // how old a remembered answer is; nil = time.Now
	Timing Timing

	// CommandWithin bounds a command, its wait for a place included; 0 = 30 s.
	CommandWithin time.Duration
	// Urgent names the verbs that need no place among the CommandsAtOnce of
	// their console: a stop never stands in a line. nil = none.
	Urgent func(verb string) bool
	// MaxConsoles bounds the consoles attached at once; 0 = 256.
	MaxConsoles int
}

// CommandsAtOnce is how many commands of one console run at a time; up to
// maxPending more wait for a place, and the rest in the socket.
const CommandsAtOnce = 8

const maxPending = 64

// How long Serve waits at its end: for commands under way to come to their own
// end, for consoles to answer the goodbye, and for handlers that ignore ctx.
const (
	drainCommands = 2 * time.Second
	drainConsoles = time.Second
)

// Server is the daemon's end of the link. Make it with NewServer.
type Server struct {
	opt    ServerOptions
	log    *slog.Logger
	ledger *ledger

	leaving  chan struct{}  // closed when consoles are told goodbye
	commands sync.WaitGroup // under way
	attached sync.WaitGroup // one for each of consoles

	mu       sync.Mutex
	consoles map[*console]struct{}
	newest   []byte // the newest snapshot's frame, nil before the first
	rev      uint64 // grows with newest
	closing  bool   // no console and no command begins any more
}

// NewServer makes a Server; Serve lets consoles in.
func NewServer(opt ServerOptions) *Server {
	opt.Timing = opt.Timing.or(Timing{Ping: 5 * time.Second, Dead: 15 * time.Second, Write: 10 * time.Second})
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.CommandWithin <= 0 {
		opt.CommandWithin = 30 * time.Second
	}
	if opt.MaxConsoles <= 0 {
		opt.MaxConsoles = 256
	}
	return &Server{
		opt:      opt,
		log:      opt.Log,
		ledger:   newLedger(opt.Now),
		leaving:  make(chan struct{}),
		consoles: make(map[*console]struct{}),
	}
}

// Publish makes snap the newest snapshot and wakes every console. It encodes
// snap once, before it returns, and waits for nobody. One goroutine at a time,
// in the snapshots' order; before, during and after Serve.
func (s *Server) Publish(snap *Snapshot) {
	frame, err := snapshotFrame(snap)
	if err != nil {
		// The consoles keep the last good one, which shows its age.
		s.log.Error("a snapshot was not published", "err", err, "rev", snap.Rev)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.rev = frame, s.rev+1
	for c := range s.consoles {
		c.poke()
	}
}

// Serve lets consoles in through l until ctx ends. Then it closes l, lets
// commands under way finish, tells the consoles that it goes away, waits for
// all that a bounded time, and returns nil. Another end is an error. A Server
// serves once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	mux := http.NewServeMux()
	mux.HandleFunc(consolePath, func(w http.ResponseWriter, r *http.Request) { s.attach(run, w, r) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this daemon speaks "+consolePath+" only: bring console and daemon to the same version", http.StatusNotFound)
	})
	hs := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
		s.shutDown(hs, cancel)
		err = <-served
	case err = <-served:
		s.shutDown(hs, cancel)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("the consoles' socket %s failed: %w", l.Addr(), err)
}

// connKey is where a request's context holds its connection.
type connKey struct{}

// shutDown ends everything that Serve began, in the order that loses least.
func (s *Server) shutDown(hs *http.Server, cancel context.CancelFunc) {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	ctx, done := context.WithTimeout(context.Background(), drainConsoles)
	defer done()
	if hs.Shutdown(ctx) != nil { // somebody connected and says nothing
		_ = hs.Close()
	}
	if !within(drainCommands, &s.commands) {
		cancel()
		if !within(drainConsoles, &s.commands) {
			s.log.Warn("a command did not end; leaving without its answer")
		}
	}
	close(s.leaving)
	if !within(drainConsoles, &s.attached) {
		s.mu.Lock()
		for c := range s.consoles {
			_ = c.conn.Close()
		}
		s.mu.Unlock()
		s.attached.Wait()
	}
}

// within waits for wg, and tells whether it came in time.
func within(d time.Duration, wg *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// attach judges who knocks and turns the request into a console.
func (s *Server) attach(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	peer, err := peerOf(conn)
	owner := os.Geteuid()
	_, web := r.Header["Origin"]
	switch {
	case err != nil:
		s.refuse(w, peer, err.Error())
		return
	case !admitted(peer.UID, owner):
		s.refuse(w, peer, fmt.Sprintf("this daemon belongs to %s, not to %s: run tickwatch as %[1]s", userName(owner), peer.Name))
		return
	case web:
		s.refuse(w, peer, "web pages may not attach: a request with an Origin is refused")
		return
	}
	up := websocket.Upgrader{
		HandshakeTimeout: s.opt.Timing.Write,
		CheckOrigin:      func(*http.Request) bool { return true }, // judged above
	}
	ws, err := up.Upgrade(w, r, nil) // answers a request that is no websocket
	if err != nil {
		s.log.Debug("a request was no console", "peer", peer.Name, "pid", peer.PID, "err", err)
		return
	}
	c := newConsole(s, ws, peer)
	if err := s.add(c); err != nil {
		hangUp(ws, websocket.CloseTryAgainLater, err.Error())
		return
	}
	defer s.remove(c)
	s.log.Debug("a console attached", "peer", peer.Name, "pid", peer.PID)
	err = c.serve(ctx)
	s.log.Debug("a console left", "peer", peer.Name, "pid", peer.PID, "why", err)
}

func (s *Server) refuse(w http.ResponseWriter, peer Peer, why string) {
	s.log.Warn("a connection was refused", "peer", peer.Name, "pid", peer.PID, "why", why)
	http.Error(w, why, http.StatusForbidden)
}

func (s *Server) add(c *console) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return errors.New("the daemon is going down")
	case len(s.consoles) >= s.opt.MaxConsoles:
		return fmt.Errorf("%d consoles are attached already: close one", len(s.consoles))
	}
	s.consoles[c] = struct{}{}
	s.attached.Add(1)
	c.poke() // the newest snapshot, at once
	return nil
}

func (s *Server) remove(c *console) {
	s.mu.Lock()
	delete(s.consoles, c)
	s.mu.Unlock()
	s.attached.Done()
}

// Consoles is how many consoles are attached.
func (s *Server) Consoles() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.consoles)
}

// since is the newest snapshot's frame if it is newer than rev, else nil.
func (s *Server) since(rev uint64) ([]byte, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rev == rev {
		return nil, rev
	}
	return s.newest, s.rev
}

// begin counts a command in, unless none may begin any more.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.commands.Add(1)
	}
	return !s.closing
}

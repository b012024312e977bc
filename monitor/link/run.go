package link

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// run hands one command to the Handler and makes the frame that answers it,
// whatever the Handler does.
func (s *Server) run(ctx context.Context, peer Peer, cmd Command) (frame []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a command panicked", "verb", cmd.Verb, "peer", peer.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			frame = ackFrame(cmd.ID, nil, &Fault{
				FaultFailed, "the daemon met a fault of its own in " + cmd.Verb +
					", which may be done in part: see what it did before repeating it; the daemon's log has the details",
			})
		}
	}()
	result, err := s.opt.Handle(ctx, peer, cmd)
	return ackFrame(cmd.ID, result, asFault(ctx, err))
}

// asFault turns a Handler's error into what goes out; nil for nil.
func asFault(ctx context.Context, err error) *Fault {
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if fault, ok := errors.AsType[*Fault](context.Cause(ctx)); ok {
			return fault
		}
		return &Fault{FaultFailed, "the daemon went down meanwhile: see what the command did before repeating it"}
	}
	return &Fault{FaultFailed, err.Error()}
}

package link

import (
	"bytes"
	"context"
)

// Tap attaches to a daemon as a console does and hands on every frame as it
// came, undecoded: for measuring the daemon's end of the link alone. frame may
// use data until it returns; one that does not return is a console that is
// stuck. Tap returns nil when ctx ends, and why the link broke when it did.
func Tap(ctx context.Context, socket string, frame func(data []byte)) error {
	conn, err := dial(ctx, socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	conn.SetReadLimit(maxDaemonFrame)
	var data bytes.Buffer
	for {
		_, r, err := conn.NextReader()
		if err == nil {
			data.Reset()
			_, err = data.ReadFrom(r)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return lostLink(err, Timing{})
		}
		frame(data.Bytes())
	}
}

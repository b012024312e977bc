package link

import (
	"fmt"
	"net"
	"os/user"
	"strconv"

	"tickwatch/wa"
)

// Peer is the process at the other end of a link, as the kernel names it.
type Peer struct {
	UID  int
	PID  int    // 0 when the kernel does not tell
	Name string // user name of UID, else "uid 1000"
}

// peerOf asks the kernel who connected; only a Unix socket can tell.
func peerOf(conn net.Conn) (Peer, error) {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return Peer{}, fmt.Errorf("a %s connection does not tell whose it is", conn.LocalAddr().Network())
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("ask the kernel who connected: %w", err)
	}
	var p Peer
	var asked error
	if err := raw.Control(func(fd uintptr) { p.UID, p.PID, asked = credentials(int(fd)) }); err != nil {
		return Peer{}, fmt.Errorf("ask the kernel who connected: %w", err)
	}
	if asked != nil {
		return Peer{}, fmt.Errorf("ask the kernel who connected: %w", asked)
	}
	p.Name = userName(p.UID)
	return p, nil
}

// admitted tells whether a process of user uid may attach to owner's daemon.
func admitted(uid, owner int) bool { return uid == owner || uid == 0 }

func userName(uid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil || u.Username == "" {
		return fmt.Sprintf("uid %d", uid)
	}
	return wa.Clean(u.Username)
}

package link

import "golang.org/x/sys/unix"

// credentials are those of the process at the time it connected (LOCAL_PEERCRED).
func credentials(fd int) (uid, pid int, err error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, 0, err
	}
	pid, err = unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	if err != nil {
		pid = 0 // the user is what counts
	}
	return int(cred.Uid), pid, nil
}

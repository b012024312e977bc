package store

import (
	"fmt"
	"syscall"
)

// networks are the file systems on which SQLite's WAL is unsafe, by the magic
// number of statfs(2).
var networks = map[uint32]string{
	0x6969: "NFS", 0x517B: "SMB", 0xFF534D42: "CIFS", 0xFE534D42: "SMB2",
	0x5346414F: "AFS", 0x564C: "NCP", 0x73757245: "Coda", 0x01021997: "9P",
	0x00C36400: "Ceph", 0x0BD00BD0: "Lustre", 0x47504653: "GPFS",
}

func refuseNetwork(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("looking at the data folder: %w", err)
	}
	return judgeFileSystem(dir, uint32(st.Type)) //nolint:gosec // magic numbers are 32 bits wide
}

func judgeFileSystem(dir string, magic uint32) error {
	if name, ok := networks[magic]; ok {
		return fmt.Errorf("the data folder %s is on a network file system (%s), where the store could be lost: set data.dir to a local disk", dir, name)
	}
	return nil
}

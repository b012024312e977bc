package store

import (
	"fmt"
	"slices"
	"syscall"
)

func refuseNetwork(dir string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("looking at the data folder: %w", err)
	}
	var name []byte
	for _, c := range st.Fstypename {
		if c == 0 {
			break
		}
		name = append(name, byte(c))
	}
	if slices.Contains([]string{"nfs", "smbfs", "afpfs", "webdav", "cifs"}, string(name)) {
		return fmt.Errorf("the data folder %s is on a network file system (%s), where the store could be lost: set data.dir to a local disk", dir, name)
	}
	return nil
}

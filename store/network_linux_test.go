package store

import (
	"strings"
	"testing"
)

func TestNetworkFileSystems(t *testing.T) {
	if err := judgeFileSystem("/data", 0x6969); err == nil || !strings.Contains(err.Error(), "NFS") || !strings.Contains(err.Error(), "data.dir") {
		t.Errorf("NFS: %v", err)
	}
	if err := judgeFileSystem("/data", 0xEF53); err != nil {
		t.Errorf("ext4: %v", err)
	}
	if err := refuseNetwork(t.TempDir()); err != nil {
		t.Errorf("the folder of this test: %v", err)
	}
}

package driver

import (
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
)

// killFirstRunning does what SFTPGo does before every start: the lowest process whose executable is the
// configured path is killed, whoever owns it. One binary under one path so cannot serve two entries; a script
// can, because its executable is the interpreter. Only where there is a /proc.
func killFirstRunning(path string) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return
	}
	var pids []int
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == path {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	sort.Ints(pids)
	if len(pids) > 0 {
		_ = syscall.Kill(pids[0], syscall.SIGKILL)
	}
}

package filepages

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Drop unmaps pages of the program's file that are as they are in the file: its code and its constants. It leaves mappings
// alone that can be written, or of which the process has changed a page.
func Drop() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var from, to uintptr // of the mapping that is read now; 0 for one that is left alone
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		var begin, end uintptr
		var access string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &access); n == 3 {
			from, to = 0, 0
			if strings.HasSuffix(line, " "+program) && access[1] == '-' {
				from, to = begin, end
			}
			continue
		}
		if from != 0 && strings.HasPrefix(line, "Anonymous:") && strings.HasSuffix(line, " 0 kB") {
			if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED); errno != 0 {
				return errno
			}
		}
	}
	return nil
}

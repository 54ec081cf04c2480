package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// roomBytes is how much room a disk must have: a digest with its history takes less.
const roomBytes = 256 << 10

// room takes room on the disk of a folder, and gives it back.
func room(folder string) error {
	file, err := os.CreateTemp(folder, ".missingkbs-*")
	if err != nil {
		return pathCause(err)
	}
	early := os.Remove(file.Name()) // so that nothing stays when the program is killed; not every system lets it
	err = errors.Join(allocate(file, roomBytes), file.Close())
	if early != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// isNoRoom reports whether an error is of a disk or a quota that is used up, or of a file that may not grow.
func isNoRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota) || errors.Is(err, syscall.EFBIG)
}

// roomForFiles looks whether SQLite's files may grow.
func (s *Store) roomForFiles() error {
	limit := fileSizeLimit()
	for _, file := range sqliteFiles(s.path) {
		if info, err := os.Stat(file); err == nil && limit > 0 && info.Size()+roomBytes > limit {
			return syscall.EFBIG
		}
	}
	return room(filepath.Dir(s.path))
}

// fill writes until a file has a size, where the system allocates nothing by itself.
func fill(file *os.File, n int64) error {
	block := make([]byte, 32<<10)
	for i := range block {
		block[i] = byte(i) | 1 // nothing that a file system leaves out
	}
	for ; n > 0; n -= int64(len(block)) {
		if _, err := file.Write(block); err != nil {
			return err
		}
	}
	return file.Sync()
}

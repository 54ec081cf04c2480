package sqlitefile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// MinSpace is how much free space a disk must have, in bytes. A digest with its history takes less.
const MinSpace = 256 << 10

// reserve allocates MinSpace on the disk of a folder, and frees it.
func reserve(folder string) error {
	file, err := os.CreateTemp(folder, ".missingkbs-*")
	if err != nil {
		return pathCause(err)
	}
	early := os.Remove(file.Name()) // leaves nothing behind if the program is killed; not every system allows it
	err = errors.Join(allocate(file, MinSpace), file.Close())
	if early != nil {
		err = errors.Join(err, os.Remove(file.Name()))
	}
	return err
}

// IsDiskFull returns true if an error says that a disk is full, a quota is used up, or a file has reached its limit.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota) || errors.Is(err, syscall.EFBIG)
}

// CheckSpace returns an error if the files of a database cannot grow.
func CheckSpace(path string) error {
	limit := fileSizeLimit()
	for _, file := range Paths(path) {
		if info, err := os.Stat(file); err == nil && limit > 0 && info.Size()+MinSpace > limit {
			return syscall.EFBIG
		}
	}
	return reserve(filepath.Dir(path))
}

// fill writes n bytes, for systems that cannot allocate space.
func fill(file *os.File, n int64) error {
	block := make([]byte, 32<<10)
	for i := range block {
		block[i] = byte(i) | 1 // file systems do not store blocks of zeros
	}
	for ; n > 0; n -= int64(len(block)) {
		if _, err := file.Write(block); err != nil {
			return err
		}
	}
	return file.Sync()
}

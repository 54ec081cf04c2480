package sqlitefile

import "golang.org/x/sys/unix"

// networkFileSystem returns the kind of network file system that a folder is on, or "". SQLite's write-ahead log needs
// memory shared by all its processes, and reliable locks: https://www.sqlite.org/wal.html.
func networkFileSystem(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return ""
	}
	return networkName(int64(s.Type)) //nolint:unconvert // it is an int32 on some machines
}

// networkName maps the magic numbers of statfs(2).
func networkName(magic int64) string {
	switch uint32(magic) { //nolint:gosec // the numbers have 32 bits
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	case lustre:
		return "Lustre"
	case gpfs:
		return "GPFS"
	}
	return ""
}

// Numbers that have no name in package unix.
const (
	lustre = 0x0bd00bd0
	gpfs   = 0x47504653
)

package store

import (
	"fmt"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Cure says what an operator does about trouble with this database.
func (s *Store) Cure(t digest.Trouble) string { return Cure(t, s.Address(), s.IsFile()) }

// Cure says what an operator does about trouble with the database at place. file is true for SQLite.
func Cure(t digest.Trouble, place string, file bool) string {
	switch t {
	case digest.TroubleFull:
		return "make room on the disk of " + place + ", or raise the quota; nothing else is to be done"
	case digest.TroubleDamaged:
		if file {
			return RestoreCure(place)
		}
		return "see the log of the PostgreSQL server, and restore a backup: " + place
	case digest.TroubleReplaced:
		if file {
			return "stop the program, put " + place + " and the files beside it (-wal, -shm) back or restore a backup, and start it again"
		}
		return "see why the tables are gone, and restore a backup: " + place
	case digest.TroubleReadOnly:
		if file {
			return "let the user of this program write " + place + " and its folder; see whether its file system is mounted for reading only"
		}
		return "name the primary server in DATABASE_URL, or make this one writable: " + place
	case digest.TroubleDisk:
		return "look at the disk and at the log of the machine, and at the rights on the folder: " + place
	case digest.TroubleDenied:
		return "mend the password or the rights of the user: " + place
	case digest.TroubleBusy:
		if file {
			return "see which other program has " + place + " open, such as a backup or sqlite3, and end it"
		}
		return "raise max_connections or the limit of the role, or end other programs that use them: " + place
	}
	return "see whether the database runs and this machine reaches it: " + place
}

// RestoreCure says how an operator restores a SQLite file.
func RestoreCure(file string) string {
	return fmt.Sprintf("stop the program, move %[1]s and the files beside it (-wal, -shm) into another folder, put the last backup in the place of %[1]s, and start it again. "+
		"Without a backup, sqlite3 DAMAGED .recover | sqlite3 %[1]s saves what can still be read. With no file there, digests and history begin anew", file)
}

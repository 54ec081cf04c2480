package webhook

import (
	"encoding/base64"
	"strings"
	"syscall"
)

// rawConn is what a dialer shows of a connection before it is made.
type rawConn = syscall.RawConn

// decodeSecret reads a secret with or without the standard's prefix.
func decodeSecret(secret string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(secret), "whsec_"))
}

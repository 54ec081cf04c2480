package webhook

import (
	"encoding/base64"
	"strings"
	"syscall"
)

// rawConn is a connection before it is established, as a dialer shows it.
type rawConn = syscall.RawConn

// decodeSecret decodes a secret with or without the standard's prefix.
func decodeSecret(secret string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(secret), "whsec_"))
}

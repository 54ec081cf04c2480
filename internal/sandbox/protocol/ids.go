package protocol

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
)

// RandomHex returns 2n hexadecimal digits that cannot be guessed.
func RandomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// RandomDigits returns n decimal digits, the first of them not zero.
func RandomDigits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

// ObjectID returns an id in Slack's form: a letter and ten upper-case characters.
func ObjectID(letter string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, 10)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return letter + "0" + string(b[1:])
}

// EnvelopeID returns a random UUID, the form that Slack gives to envelopes.
func EnvelopeID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Timestamp writes microseconds as Slack writes the ts of a message.
func Timestamp(micros int64) string {
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}

// Micros reads a ts, or seconds with or without a fraction. What it can't read is 0.
func Micros(ts string) int64 {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil {
		return 0
	}
	return int64(seconds*1e6 + 0.5)
}

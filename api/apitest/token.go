package apitest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resource is the audience that Defender's API takes tokens for; it is not the
// address of the API.
const Resource = "https://api.securitycenter.microsoft.com"

// tokenLife is how long a token is good: an hour less a second, as Entra says.
const tokenLife = 3599 * time.Second

// app is the app registration: what it may do, and what proves it.
type app struct {
	mu         sync.Mutex
	roles      []string
	secret     string
	signingKey []byte
	devices    map[string]*deviceLogin // by device code
	seen       seen
}

func (a *app) init(roles []string) {
	a.roles, a.secret, a.signingKey = slices.Clone(roles), ClientSecret, newSigningKey()
	a.devices = map[string]*deviceLogin{}
}

// newSigningKey is a random one, so that one tenant's tokens mean nothing to
// another.
func newSigningKey() []byte {
	k := make([]byte, 32)
	_, _ = rand.Read(k) // never fails, says crypto/rand
	return k
}

// claims is what a token says. Times are in seconds since 1970.
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	Before   int64    `json:"nbf"`
	Expires  int64    `json:"exp"`
	AppID    string   `json:"appid"`
	TenantID string   `json:"tid"`
	Subject  string   `json:"sub"`
	Roles    []string `json:"roles,omitempty"` // of the app itself
	Scopes   string   `json:"scp,omitempty"`   // of the app in a person's name
	UPN      string   `json:"upn,omitempty"`
	Refresh  bool     `json:"apitest_refresh,omitempty"` // a refresh token, of no use to the API
	Version  string   `json:"ver"`
}

// person is who signs in with a device code.
const person = "alex@contoso.example"

func (a *app) newClaims(audience string, roles []string) claims {
	now := time.Now()
	return claims{
		Audience: audience, Issuer: "https://sts.windows.net/" + TenantID + "/", AppID: ClientID, TenantID: TenantID, Version: "1.0",
		Subject: guid(key(ClientID)), IssuedAt: now.Unix(), Before: now.Unix(), Expires: now.Add(tokenLife).Unix(), Roles: roles,
	}
}

// appToken is a token of the app itself.
func (a *app) appToken(audience string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sign(a.newClaims(audience, slices.Clone(a.roles)))
}

// personToken is a token of the app in a person's name.
func (a *app) personToken(audience string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.newClaims(audience, nil)
	c.Scopes, c.UPN, c.Subject = strings.Join(delegated(a.roles), " "), person, guid(key(person))
	return a.sign(c)
}

// refreshToken can be changed for a personToken later.
func (a *app) refreshToken() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.newClaims("", nil)
	c.Refresh, c.Expires = true, time.Now().AddDate(0, 0, 90).Unix()
	return a.sign(c)
}

// delegated are the permissions a person's token has in place of the app's.
func delegated(roles []string) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = strings.TrimSuffix(r, ".All")
	}
	return out
}

// sign makes a token of the claims. The caller holds the lock. Entra signs
// with RSA and publishes the keys; no test verifies them, so HMAC will do.
func (a *app) sign(c claims) string {
	head := segment(map[string]string{"typ": "JWT", "alg": "HS256", "kid": "apitest"})
	signed := head + "." + segment(c)
	return a.seen.add(signed + "." + base64.RawURLEncoding.EncodeToString(a.mac(signed)))
}

func (a *app) mac(signed string) []byte {
	m := hmac.New(sha256.New, a.signingKey)
	m.Write([]byte(signed))
	return m.Sum(nil)
}

func segment(v any) string {
	b, _ := json.Marshal(v) // strings and numbers only
	return base64.RawURLEncoding.EncodeToString(b)
}

var errToken = errors.New("the token is not valid")

// verify reads a token of ours that is good now.
func (a *app) verify(token string) (claims, error) {
	var c claims
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return c, errToken
	}
	mac, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return c, errToken
	}
	a.mu.Lock()
	want := a.mac(token[:dot])
	a.mu.Unlock()
	if !hmac.Equal(mac, want) {
		return c, errToken
	}
	if err := readClaims(token, &c); err != nil {
		return c, err
	}
	if now := time.Now().Unix(); now >= c.Expires {
		return c, errors.New("the token has expired")
	}
	return c, nil
}

// readClaims decodes the middle of a JWT without checking the signature.
func readClaims(token string, into any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errToken
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errToken
	}
	if json.Unmarshal(b, into) != nil {
		return errToken
	}
	return nil
}

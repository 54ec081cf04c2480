package apitest

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// codeLife is how long a device code can be redeemed.
const codeLife = 15 * time.Minute

// deviceLogin is a sign-in that waits for its person.
type deviceLogin struct {
	audience string
	expires  time.Time
	polled   bool // the person is taken to sign in after the first poll
}

// startDevice begins a sign-in with a code to be typed on another device.
// See https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code.
func (a *app) startDevice(l login) reply {
	for _, check := range []func() *reply{l.knowsTenant, l.knowsClient} {
		if bad := check(); bad != nil {
			return *bad
		}
	}
	audience, bad := l.audience()
	if bad != nil {
		return *bad
	}
	code := strings.ReplaceAll(newID()+newID(), "-", "")
	user := strings.ToUpper(code[:9])
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.devices, func(_ string, d *deviceLogin) bool { return time.Now().After(d.expires) })
	a.devices[code] = &deviceLogin{audience: audience, expires: time.Now().Add(codeLife)}
	page := l.authority() + "devicelogin"
	return ok(map[string]any{
		"user_code": user, "device_code": code, "verification_uri": page, "expires_in": int(codeLife.Seconds()), "interval": 5,
		"message": fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", page, user),
	})
}

// redeemDevice answers a poll: pending the first time, then a token.
func (a *app) redeemDevice(l login) reply {
	code := l.form.Get("device_code")
	a.mu.Lock()
	d := a.devices[code]
	first := d != nil && !d.polled
	if first {
		d.polled = true
	} else {
		delete(a.devices, code)
	}
	a.mu.Unlock()
	switch {
	case d == nil:
		return l.refuse(http.StatusBadRequest, "invalid_grant", 70000, "The provided value for the input parameter 'device_code' is not valid.")
	case time.Now().After(d.expires):
		return l.refuse(http.StatusBadRequest, "expired_token", 70019, "Verification code expired. Have the user retry the sign-in.")
	case first:
		return l.refuse(http.StatusBadRequest, "authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	}
	return a.personReply(l, d.audience)
}

// redeemRefresh changes a refresh token for a new access token.
func (a *app) redeemRefresh(l login) reply {
	c, err := a.verify(l.form.Get("refresh_token"))
	if err != nil || !c.Refresh {
		return l.refuse(http.StatusBadRequest, "invalid_grant", 70000, "The provided value for the input parameter 'refresh_token' is not valid.")
	}
	audience, bad := l.audience()
	if bad != nil {
		return *bad
	}
	return a.personReply(l, audience)
}

// personReply is a token in a person's name, with what a client wants to know
// of the person.
func (a *app) personReply(l login, audience string) reply {
	now := time.Now().Unix()
	id := guid(key(person))
	a.mu.Lock()
	idToken := a.sign(claims{
		Audience: ClientID, Issuer: l.authority() + TenantID + "/v2.0", TenantID: TenantID, Subject: id, UPN: person,
		IssuedAt: now, Before: now, Expires: now + int64(tokenLife.Seconds()), Version: "2.0",
	})
	a.mu.Unlock()
	return ok(map[string]any{
		"token_type": "Bearer", "scope": l.form.Get("scope"), "expires_in": int(tokenLife.Seconds()), "ext_expires_in": int(tokenLife.Seconds()),
		"access_token": a.personToken(audience), "refresh_token": a.refreshToken(), "id_token": idToken,
		"client_info": segment(map[string]string{"uid": id, "utid": TenantID}),
	})
}

package config

import (
	"os"
	"strings"
	"unicode"
)

// exampleID has the form of every id in Entra.
const exampleID = "8b1f2e9c-3d4a-4f6b-9c2d-1e0f5a7b8c9d"

// IsGUID returns true for an id as Entra writes it.
func IsGUID(s string) bool {
	if len(s) != len(exampleID) {
		return false
	}
	for i, r := range s {
		if dash := exampleID[i] == '-'; dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

// TenantForm says what is wrong with the form of AZURE_TENANT_ID, or returns "". Entra takes the tenant's domains, too.
func TenantForm(v string) string {
	domain := strings.Contains(strings.Trim(v, "."), ".") && !strings.ContainsFunc(v, func(r rune) bool {
		return r != '.' && r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
	if IsGUID(v) || domain {
		return ""
	}
	return "is not a tenant id: it looks like " + exampleID + ", or is a domain of the tenant such as contoso.onmicrosoft.com; find it on the overview page of the app registration in Entra"
}

// ClientForm says what is wrong with the form of AZURE_CLIENT_ID of an app registration, or returns "".
func ClientForm(v string) string {
	if IsGUID(v) {
		return ""
	}
	return "is not an application id: it looks like " + exampleID + "; find the Application (client) ID on the overview page of the app registration in Entra"
}

// ManagedForm says what is wrong with the form of AZURE_CLIENT_ID of a managed identity, or returns "".
func ManagedForm(v string) string {
	if IsGUID(v) || v == systemIdentity {
		return ""
	}
	return `is not a client id: it looks like ` + exampleID + `, or is the word "system"; find the client ID on the overview page of the managed identity in Azure`
}

// SecretForm says what is wrong with the form of AZURE_CLIENT_SECRET, or returns "". An id in its place is the most common
// mistake of all. Tools of before 2020 made secrets of this form, so serve only warns of it.
func SecretForm(v string) string {
	if IsGUID(v) {
		return "is the Secret ID: copy the Value beside it; if that is hidden by now, make a new secret"
	}
	return ""
}

// scopeForm says what is wrong with the form of DEFENDER_SCOPE, or returns "". Entra gives an app no token for another form.
func scopeForm(v string) string {
	resource, ok := strings.CutSuffix(v, "/.default")
	if ok && resource != "" && !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return ""
	}
	return "takes one scope that ends in /.default, such as https://api.securitycenter.microsoft.com/.default; unset, the scope of the cloud is used"
}

// checkForms adds an error for each value that Entra is known to refuse.
func (s Defender) checkForms(e *Errors, managed bool) {
	client := ClientForm
	if managed {
		client = ManagedForm
	}
	for _, c := range []struct {
		setting, value string
		form           func(string) string
	}{
		{"AZURE_TENANT_ID", s.TenantID, TenantForm},
		{"AZURE_CLIENT_ID", s.ClientID, client},
		{"DEFENDER_SCOPE", s.Scope, scopeForm},
	} {
		if c.value == "" {
			continue // another check says whether it is missing
		}
		if wrong := c.form(c.value); wrong != "" {
			e.Add(c.setting, "%s", wrong)
		}
	}
}

// readable adds an error if a setting names a file that cannot be read, such as a folder.
func (e *Errors) readable(setting, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		e.Add(setting, "names a file that cannot be read: %v", err)
	case info.IsDir():
		e.Add(setting, "names a folder: it takes the path of a file")
	}
}

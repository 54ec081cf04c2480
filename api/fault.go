package api

import "slices"

// Fault is the exact reason why the program cannot sign in, if known. It is more specific than the kind of an [Error],
// and has texts for people; see [Fault.Advice]. The zero value is an unknown reason.
type Fault string

// The faults of a sign-in.
const (
	SecretWrong      Fault = "secret_wrong"
	SecretExpired    Fault = "secret_expired"
	CredentialAbsent Fault = "credential_absent"

	AppUnknown     Fault = "app_unknown"
	AppNotInTenant Fault = "app_not_in_tenant"
	AppDisabled    Fault = "app_disabled"
	AppPublic      Fault = "app_public"
	AppUnassigned  Fault = "app_unassigned"
	ConsentAbsent  Fault = "consent_absent"

	TenantUnknown    Fault = "tenant_unknown"
	TenantRestricted Fault = "tenant_restricted"
	CloudWrong       Fault = "cloud_wrong"
	PolicyBlocks     Fault = "policy_blocks"

	ResourceUnknown  Fault = "resource_unknown"
	ResourceDisabled Fault = "resource_disabled"
	ScopeWrong       Fault = "scope_wrong"

	CertificateUnknown Fault = "certificate_unknown"
	CertificateExpired Fault = "certificate_expired"
	AssertionTime      Fault = "assertion_time"
	AssertionApp       Fault = "assertion_app"
	AssertionAudience  Fault = "assertion_audience"
	AssertionBroken    Fault = "assertion_broken"
	TokenFileAbsent    Fault = "token_file_absent"
	FederationAbsent   Fault = "federation_absent"
	FederationIssuer   Fault = "federation_issuer"
	FederationSubject  Fault = "federation_subject"
	FederationAudience Fault = "federation_audience"

	IdentityUnassigned Fault = "identity_unassigned"
	IdentityAway       Fault = "identity_away"

	PersonAgain    Fault = "person_again"
	PersonUnknown  Fault = "person_unknown"
	PersonDisabled Fault = "person_disabled"

	LoginLoop     Fault = "login_loop"
	LoginBusy     Fault = "login_busy"
	LoginForeign  Fault = "login_foreign"
	LoginTLS      Fault = "login_tls"
	LoginDeclined Fault = "login_declined" // Entra's code is not one of those known here
)

// Advice is the text about a [Fault] for people, in whole sentences. It contains nothing of the tenant or the app.
type Advice struct {
	What string // what is wrong
	Cure string // who has to do what
}

// Advice returns the texts about a fault; empty for the zero value.
func (f Fault) Advice() Advice {
	for _, known := range faults() {
		if known.fault == f {
			return known.Advice
		}
	}
	return Advice{}
}

// Faults returns all faults.
func Faults() []Fault {
	var all []Fault
	for _, known := range faults() {
		all = append(all, known.fault)
	}
	return all
}

// knownFault is a fault with its codes and texts.
type knownFault struct {
	fault Fault
	kind  error    // of the error
	codes []string // Entra's codes, without AADSTS; other faults are recognised otherwise
	Advice
}

// faultOf returns the fault of one of Entra's codes, such as "AADSTS7000222".
func faultOf(code string) (knownFault, bool) {
	for _, known := range faults() {
		if slices.ContainsFunc(known.codes, func(c string) bool { return "AADSTS"+c == code }) {
			return known, true
		}
	}
	return knownFault{}, false
}

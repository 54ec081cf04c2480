package main

import (
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// tryOtherScopes adds to the findings about a refused token whether one comes by another spelling of the scope, where
// Entra does not know the one that is set.
func (e *exam) tryOtherScopes(ctx context.Context, cred azcore.TokenCredential, refusal error, found []doctor.Finding) []doctor.Finding {
	failed, ok := errors.AsType[*api.Error](refusal)
	if !ok || failed.Code != "AADSTS500011" || len(found) == 0 {
		return found
	}
	others := e.defender.Cloud.OtherScopes()
	for _, scope := range others {
		if _, err := api.InspectToken(ctx, cred, scope); err == nil {
			found[0].Cure = "set DEFENDER_SCOPE=" + scope + ": by that spelling a token comes"
			return found
		}
	}
	found[0].Cure += "; other spellings were tried, too: " + strings.Join(others, ", ")
	return found
}

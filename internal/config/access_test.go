package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/access"
)

func TestAccessSettings(t *testing.T) {
	t.Parallel()
	var m Errors
	got := Access{
		Guests: "TRUE", AskChannels: "C024BE91L, G024BE91L,C024BE91L", AskGroups: "S0614TZR7\nS0614TZR8", DigestChannels: "",
		DigestGroups: "S0614TZR9", AdminGroups: "S0614TZR1", AdminUsers: "U012AB3CDE W012AB3CDE",
	}.read(&m)
	want := access.Policy{
		Guests: true, AskChannels: []string{"C024BE91L", "G024BE91L"}, AskGroups: []string{"S0614TZR7", "S0614TZR8"},
		DigestGroups: []string{"S0614TZR9"}, AdminGroups: []string{"S0614TZR1"}, AdminUsers: []string{"U012AB3CDE", "W012AB3CDE"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
	if err := m.Err(); err != nil {
		t.Error(err)
	}
}

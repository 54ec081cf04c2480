package config_test

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/config"
)

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "off", "off": "off", "exploited:3, critical:14": "exploited:3,critical:14"} {
		var errs config.Errors
		if got := (config.Deadlines{SLA: text}).Read(&errs).String(); got != want || errs.Err() != nil {
			t.Errorf("%q is %s, %v; want %s", text, got, errs.Err(), want)
		}
	}
	var errs config.Errors
	p := config.Deadlines{SLA: "high:3"}.Read(&errs)
	if err := errs.Err(); err == nil || !strings.Contains(err.Error(), `MISSINGKBS_SLA: there is no class "high"; write it as exploited:3`) || p.On() {
		t.Errorf("error %v", err)
	}
}

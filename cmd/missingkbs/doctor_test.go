package main

import (
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

func TestDoctorAllWell(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, nil)
	d.only(t)
	if d.code != exitDone || d.Summary.Status != "ok" {
		t.Errorf("exit code %d, %+v\n%s", d.code, d.Summary, d.text())
	}
	t.Log(c.run(t, nil).out)
}

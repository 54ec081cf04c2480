package api

import (
	"testing"
)

// Callers that change nothing share the stored value; others get a copy of their own, before and after.
func TestReadOnlyAnswersAreNotCopied(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"@odata.context":"c","value":[{"id":"1","machineMissedOn":1,"productsNames":["edge"]}]}`))
	c := s.client(t)
	var shared []*MissingKB
	for _, opts := range [][]CallOption{{ReadOnly()}, nil, {ReadOnly()}} {
		kbs, err := c.MissingKBs(t.Context(), "a", opts...)
		if err != nil {
			t.Fatal(err)
		}
		if len(opts) > 0 {
			shared = append(shared, &kbs.Value[0])
		} else {
			kbs.Value[0].ProductsNames[0] = "changed"
		}
	}
	if shared[0] != shared[1] {
		t.Error("a value that is only read is copied")
	}
	if name := shared[1].ProductsNames[0]; name != "edge" {
		t.Errorf("the stored value has become %q", name)
	}
}

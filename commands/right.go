package commands

import "context"

// Right is what a request takes of the person who makes it. Who has which is decided at the edge.
type Right string

// The rights. Each includes the ones before it.
const (
	Ask        Right = "ask"        // to be told what is missing
	Change     Right = "digests"    // to make, change, run and remove digests
	Administer Right = "administer" // to allow what others may not
)

type idKey struct{}

// WithID returns a context that names the question which is being answered, for logs and traces.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// IDOf returns the name of the question that a context belongs to, or "".
func IDOf(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

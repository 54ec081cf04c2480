package commands

import "context"

type idKey struct{}

// WithID returns a context that carries the ID of the question being answered, for logs and traces.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// IDOf returns the ID of the question that a context belongs to, or "".
func IDOf(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

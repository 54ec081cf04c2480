package e2e

import "github.com/missingkbs/missingkbs/internal/product"

// called is what pages call a software.
func called(id string) string { return product.Name(id, "") }

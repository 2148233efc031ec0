package e2e

import "golang.org/x/sync/errgroup"

// Parallel calls a function for 0 to n-1, several at once, and returns its first error.
func Parallel(n int, call func(int) error) error {
	var group errgroup.Group
	group.SetLimit(32)
	for i := range n {
		group.Go(func() error { return call(i) })
	}
	return group.Wait()
}

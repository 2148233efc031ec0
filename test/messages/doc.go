// Package messages measures the classifier on real messages: each record of a file becomes the Kubernetes objects that it
// would stand in, in many variants, and the told cause is compared with the true one. It holds tests only.
package messages

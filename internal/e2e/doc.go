// Package e2e tests the whole program: it builds cmd/missingkbs, runs it as a process between a Slack workspace and a Defender
// tenant on this machine, and asks, clicks, breaks and kills it from outside. It holds tests only, and knows of the program
// what operators and the two services see of it.
package e2e

package commands

// Normalize is for tests of its properties.
var Normalize = normalize

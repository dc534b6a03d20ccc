package cachestore

// CheckSizes lets a test look at the limit of a body without one of a gigabyte.
var CheckSizes = checkSizes

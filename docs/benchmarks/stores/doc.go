// Package stores runs the conformance suite of package storetest on gocache's own stores, through the adapter. They are
// in this module so that nobody else has to download them.
package stores

package cachestore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
)

// Any gocache store becomes a store of whole, verified entries: adapted, then enveloped.
func Example() {
	ctx := context.Background()
	adapter, err := cachestore.Adapt(newNaive(), cachestore.WithPrefix("prices."))
	if err != nil {
		fmt.Println(err)
		return
	}
	entries, err := cachestore.NewEntries(adapter.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}

	now := time.Now()
	err = entries.Set(ctx, cachestore.Entry{
		Key:     "GET https://api.example.com/prices",
		Stored:  now,
		Expires: now.Add(time.Hour),
		Meta:    []byte("status=200"),
		Body:    []byte(`{"apples":2}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	entry, found, err := entries.Get(ctx, "GET https://api.example.com/prices")
	fmt.Println(found, err, string(entry.Meta), string(entry.Body))
	_, found, err = entries.Get(ctx, "GET https://api.example.com/other")
	fmt.Println(found, err)
	// Output:
	// true <nil> status=200 {"apples":2}
	// false <nil>
}

// Clear does not empty a store that others may use too.
func ExampleAdapter_Clear() {
	adapter, err := cachestore.Adapt(newNaive())
	if err != nil {
		fmt.Println(err)
		return
	}
	err = adapter.Clear(context.Background())
	fmt.Println(errors.Is(err, store.ErrNotSupported))
	// Output: true
}

func ExampleDecode() {
	data, err := cachestore.Encode(cachestore.Entry{Key: "a", Body: []byte("body")})
	if err != nil {
		fmt.Println(err)
		return
	}
	data[len(data)-1] ^= 1 // as a bad disk would

	_, err = cachestore.Decode(data, "a")
	var damage *cachestore.EnvelopeError
	fmt.Println(errors.As(err, &damage), damage.Reason)
	// Output: true checksum
}

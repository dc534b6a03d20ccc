package conf

import (
	"fmt"
	"reflect"
	"strings"
)

// field is a struct field that has a key.
type field struct {
	key    string
	value  reflect.Value
	secret bool
}

// fields lists the fields of a struct that have a key, those of embedded
// structs in their place. clash names a key that two fields claim, or is "".
func fields(v reflect.Value, secret bool) (list []field, clash string) {
	list = appendFields(nil, v, secret)
	seen := make(map[string]bool, len(list))
	for _, f := range list {
		if seen[f.key] {
			return list, fmt.Sprintf("the Go type %s has two fields with the key %s", v.Type(), f.key)
		}
		seen[f.key] = true
	}
	return list, ""
}

func appendFields(list []field, v reflect.Value, secret bool) []field {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag := f.Tag.Get("yaml")
		key, option, _ := strings.Cut(tag, ",")
		isSecret := secret || f.Tag.Get("headgate") == "secret"
		inline := f.Type.Kind() == reflect.Struct && (option == "inline" || f.Anonymous && key == "")
		switch {
		case tag == "-":
		case inline && (f.IsExported() || f.Anonymous):
			list = appendFields(list, v.Field(i), isSecret)
		case f.IsExported():
			if key == "" {
				key = strings.ToLower(f.Name)
			}
			list = append(list, field{key, v.Field(i), isSecret})
		}
	}
	return list
}

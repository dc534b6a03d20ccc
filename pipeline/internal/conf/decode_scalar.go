package conf

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// wrong records that a scalar is not what it should be. hint says what would
// be right and may be empty; it is left out where it could give a value away.
func (d *decoder) wrong(n *Node, secret bool, want, hint string) {
	switch {
	case secret:
		d.fail(n, "the value, which is secret and not shown, is not %s", want)
	case n.Source != "":
		d.fail(n, "the value of %s is not %s", quote(n), want)
	case hint == "":
		d.fail(n, "%s is not %s", quote(n), want)
	default:
		d.fail(n, "%s is not %s; %s", quote(n), want, hint)
	}
}

func (d *decoder) isScalar(n *Node, want string) bool {
	if !n.scalar() {
		d.fail(n, "expected %s, found %s", want, n.Kind)
	}
	return n.scalar()
}

// plain tells whether a scalar may stand for a boolean or a number, and
// records the error if not.
func (d *decoder) plain(n *Node, secret bool, want string) bool {
	if !d.isScalar(n, want) {
		return false
	}
	if !n.Quoted || wholeReference(n) {
		return true
	}
	hint := ""
	if k := resolve(n.Text); k != String && k != Null {
		hint = "remove the quotes"
	}
	d.wrong(n, secret, want, hint)
	return false
}

func (d *decoder) boolean(n *Node, v reflect.Value, secret bool) {
	const want = "a boolean"
	if !d.plain(n, secret, want) {
		return
	}
	if resolve(n.Text) == Bool {
		v.SetBool(strings.EqualFold(n.Text, "true"))
		return
	}
	hint := "write true or false"
	switch strings.ToLower(n.Text) {
	case "yes", "on", "y", "1":
		hint = "did you mean true?"
	case "no", "off", "n", "0":
		hint = "did you mean false?"
	}
	d.wrong(n, secret, want, hint)
}

func (d *decoder) integer(n *Node, v reflect.Value, secret bool) {
	const want = "an integer"
	if !d.plain(n, secret, want) {
		return
	}
	if resolve(n.Text) != Int {
		d.wrong(n, secret, want, integerHint(n.Text))
		return
	}
	bits := v.Type().Bits()
	if v.CanUint() {
		u, err := strconv.ParseUint(strings.TrimPrefix(n.Text, "+"), 0, bits)
		if err != nil {
			d.wrong(n, secret, fmt.Sprintf("an integer from 0 to %d", uint64(math.MaxUint64)>>(64-bits)), "")
			return
		}
		v.SetUint(u)
		return
	}
	i, err := strconv.ParseInt(n.Text, 0, bits)
	if err != nil {
		high := int64(math.MaxInt64) >> (64 - bits)
		d.wrong(n, secret, fmt.Sprintf("an integer from %d to %d", -high-1, high), "")
		return
	}
	v.SetInt(i)
}

// integerHint says how a number that is not an integer to YAML is written.
func integerHint(text string) string {
	if f, err := strconv.ParseFloat(text, 64); err == nil && resolve(text) == Float {
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return "write " + strconv.FormatInt(int64(f), 10)
		}
		return "write a whole number"
	}
	digits := strings.TrimLeft(strings.ReplaceAll(text, "_", ""), "0")
	if resolve(digits) == Int && (digits[0] >= '1' && digits[0] <= '9') {
		return "write " + abbreviate(digits, quoted)
	}
	return "write a whole number"
}

func (d *decoder) float(n *Node, v reflect.Value, secret bool) {
	const want = "a number"
	if !d.plain(n, secret, want) {
		return
	}
	var f float64
	var err error
	switch resolve(n.Text) {
	case Int:
		f, err = intAsFloat(n.Text)
	case Float:
		f, err = strconv.ParseFloat(strings.ReplaceAll(n.Text, ".inf", "inf"), v.Type().Bits())
	default:
		hint := "write a number such as 0.5"
		if p, ok := strings.CutSuffix(n.Text, "%"); ok && resolve(p) != String {
			hint = "write a fraction: 50% is 0.5"
		}
		d.wrong(n, secret, want, hint)
		return
	}
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || v.OverflowFloat(f) {
		d.wrong(n, secret, "a finite number", "")
		return
	}
	v.SetFloat(f)
}

func intAsFloat(text string) (float64, error) {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0o") {
		u, err := strconv.ParseUint(text, 0, 64)
		return float64(u), err
	}
	return strconv.ParseFloat(text, 64)
}

func (d *decoder) duration(n *Node, v reflect.Value, secret bool) {
	const want = "a duration"
	if !d.isScalar(n, want) {
		return
	}
	value, err := time.ParseDuration(n.Text)
	if err == nil && n.Text != "" {
		v.SetInt(int64(value))
		return
	}
	d.wrong(n, secret, want, durationHint(n.Text))
}

func durationHint(text string) string {
	const example = "write a number and a unit, such as 200ms, 1.5s or 10m"
	if len(text) > quoted {
		return example
	}
	if k := resolve(text); k == Int || k == Float {
		if _, err := time.ParseDuration(text + "ms"); err == nil {
			return fmt.Sprintf("it has no unit: did you mean %sms?", text)
		}
		return example
	}
	short := strings.NewReplacer(" ", "", "msec", "ms", "millis", "ms", "seconds", "s", "second", "s", "secs", "s", "sec", "s",
		"minutes", "m", "minute", "m", "mins", "m", "min", "m", "hours", "h", "hour", "h").Replace(strings.ToLower(text))
	if days, err := strconv.Atoi(strings.TrimSuffix(short, "d")); err == nil && strings.HasSuffix(short, "d") && days > 0 && days < 1000 {
		return fmt.Sprintf("there is no unit for days: did you mean %dh?", 24*days)
	}
	if _, err := time.ParseDuration(short); err == nil && short != "" {
		return fmt.Sprintf("did you mean %s?", short)
	}
	return example
}

// text hands a scalar to a type that reads text. Its error is shown, but not
// when the value is secret or came from the environment.
func (d *decoder) text(n *Node, v reflect.Value, secret bool) {
	if !d.isScalar(n, "a text") {
		return
	}
	target := reflect.New(v.Type())
	target.Elem().Set(v)
	err := target.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Text))
	switch {
	case err == nil:
		v.Set(target.Elem())
	case secret:
		d.fail(n, "the value, which is secret and not shown, is not valid")
	case n.Source != "":
		d.fail(n, "the value of %s is not valid", quote(n))
	default:
		message := err.Error()
		if short := abbreviate(n.Text, quoted); short != n.Text {
			message = strings.ReplaceAll(message, n.Text, short)
		}
		d.fail(n, "%s", abbreviate(message, 200))
	}
}

package httpcache

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// parseDate reads an HTTP-date strictly as RFC 9110, section 5.6.7, has it:
// IMF-fixdate, or the obsolete forms of RFC 850 and asctime. http.ParseTime also
// takes other zones, double spaces and one-digit hours, and a date that an
// origin got wrong means "already expired". The day's name is not compared with the
// date, because it changes nothing. Case is as it comes, which caches should let
// pass (RFC 9111, section 4.2). now resolves the two-digit years of RFC 850.
func parseDate(s string, now time.Time) (time.Time, bool) {
	if t, ok := parseFixdate(s); ok {
		return t, true
	}
	if zone := len(s) - len("GMT"); zone > 0 && strings.EqualFold(s[zone:], "GMT") {
		s = s[:zone] + "GMT"
	}
	for _, layout := range [...]string{http.TimeFormat, rfc850, time.ANSIC} {
		t, err := time.Parse(layout, s)
		if err != nil || !sameAfterDay(t, layout, s) {
			continue
		}
		if layout == rfc850 {
			t = withinFiftyYears(t, now)
		}
		return t, true
	}
	return time.Time{}, false
}

// parseFixdate reads an IMF-fixdate as nearly every answer has one, letter by
// letter. What it does not take may be a date all the same.
func parseFixdate(s string) (t time.Time, ok bool) {
	const form = "ddd, 00 mmm 0000 00:00:00 GMT"
	if len(s) != len(form) {
		return t, false
	}
	for i := range len(form) {
		switch c := s[i]; form[i] {
		case '0':
			if c < '0' || c > '9' {
				return t, false
			}
		case 'd', 'm': // a name, see below
		default:
			if c != form[i] {
				return t, false
			}
		}
	}
	month := nameAt(s[8:11], "JanFebMarAprMayJunJulAugSepOctNovDec")
	if month < 0 || nameAt(s[:3], "SunMonTueWedThuFriSat") < 0 {
		return t, false
	}
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			n = n*10 + int(c-'0')
		}
		return n
	}
	day, hour, minute, second := number(5, 7), number(17, 19), number(20, 22), number(23, 25)
	if hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(number(12, 16), time.Month(month+1), day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // else the month has no such day
}

// nameAt tells at which place of names, of three letters each, name is; -1 if it is none of them.
func nameAt(name, names string) int {
	for i := 0; i < len(names); i += len(name) {
		if names[i:i+len(name)] == name {
			return i / len(name)
		}
	}
	return -1
}

// rfc850 is time.RFC850 with the only zone that is allowed.
const rfc850 = "Monday, 02-Jan-06 15:04:05 GMT"

// sameAfterDay tells whether got is t as the layout writes it, but for the day's name.
func sameAfterDay(t time.Time, layout, got string) bool {
	var room [len(rfc850) + 8]byte
	want := t.AppendFormat(room[:0], layout)
	i, j := bytes.IndexByte(want, ' '), strings.IndexByte(got, ' ')
	return i >= 0 && j >= 0 && strings.EqualFold(string(want[i:]), got[j:])
}

// withinFiftyYears moves a date that seems to be more than 50 years ahead into
// the past century, as RFC 9110 asks, and back where the layout's pivot was wrong.
func withinFiftyYears(t, now time.Time) time.Time {
	for t.Year() > now.Year()+50 {
		t = t.AddDate(-100, 0, 0)
	}
	for t.Year() <= now.Year()-50 {
		t = t.AddDate(100, 0, 0)
	}
	return t
}

// headerDate reads the first line of a field as a date.
func headerDate(h http.Header, name string, now time.Time) (t time.Time, present, valid bool) {
	v := h[name]
	if len(v) == 0 {
		return time.Time{}, false, false
	}
	t, valid = parseDate(v[0], now)
	return t, true, valid
}

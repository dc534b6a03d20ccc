package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every scene ends with the whole reply on the right side, or with an error, and without Headgate some do not.
func TestTheShow(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-patience", "3s"}, "", &out))
	shown := out.String()
	for _, s := range scenes() {
		require.Contains(t, shown, s.title)
	}
	plain, gated := sides(shown)
	require.Contains(t, plain, "NOT COMPLETE", "the plain client ends silently somewhere")
	require.Contains(t, plain, "out of patience", "and hangs elsewhere")
	require.NotContains(t, gated, "NOT COMPLETE")
	require.NotContains(t, gated, "out of patience")
	require.Contains(t, gated, "complete; requests: 3")
}

// sides takes what was shown apart again.
func sides(shown string) (plain, gated string) {
	for line := range strings.Lines(shown) {
		runes := []rune(strings.TrimSuffix(line, "\n"))
		plain += string(runes[:min(width, len(runes))]) + "\n"
		gated += string(runes[min(width, len(runes)):]) + "\n"
	}
	return plain, gated
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		about string
		args  []string
		want  string
	}{
		{"an SDK that is unknown", []string{"-sdk", "nobody"}, "deepseek-go"},
		{"the real API without a key", []string{"-real"}, "DEEPSEEK_API_KEY"},
		{"an unknown flag", []string{"-x"}, "not defined"},
	} {
		t.Run(c.about, func(t *testing.T) {
			var out bytes.Buffer
			require.ErrorContains(t, run(t.Context(), c.args, "", &out), c.want)
		})
	}
}

func TestVerdicts(t *testing.T) {
	require.Equal(t, "complete", verdict(nil, "All of it."))
	require.Equal(t, "NOT COMPLETE, and no error", verdict(nil, "All of"))
	require.Equal(t, "error: out of patience", verdict(fmt.Errorf("get: %w", context.DeadlineExceeded), ""))
	require.Equal(t, "error", verdict(errors.New("x"), "All of it."))
}

func TestTheBoardShowsTwoSides(t *testing.T) {
	var out bytes.Buffer
	b := newBoard(&out)
	b.begin("A title", "A question?")
	b.add(left, "some words that are long enough to need ")
	b.add(left, "a second line")
	b.add(right, "short")
	b.end(left, "error", "")
	b.end(right, "complete", "requests: 2")
	b.done()
	plain, gated := sides(out.String())
	require.Equal(t, []string{"some words that are long enough to need a", "second line", "[error]"}, last(plain))
	require.Equal(t, []string{"short", "[complete; requests: 2]", ""}, last(gated))
}

// last gives the last three lines.
func last(side string) []string {
	lines := strings.Split(strings.TrimSuffix(side, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines[len(lines)-3:]
}

func TestTheBoardRedrawsInATerminal(t *testing.T) {
	var out bytes.Buffer
	b := &board{out: &out, live: true}
	b.add(left, "one")
	b.add(right, "two")
	require.Equal(t, "one\n\x1b[1A\x1b[Jone"+strings.Repeat(" ", width)+"two\n", out.String())
}

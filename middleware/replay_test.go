package middleware_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware"
)

// upload is a request with a body that can be read once; length is -1 where it is not known.
func upload(body io.ReadCloser, length int64) *http.Request {
	req, _ := http.NewRequest(http.MethodPost, "http://upstream.test/", body)
	req.ContentLength = length
	return req
}

func readAll(t *testing.T, r *middleware.Replay) string {
	t.Helper()
	body, err := r.Body()
	require.NoError(t, err)
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	return string(content)
}

func TestReplayOfARequestWithoutABody(t *testing.T) {
	for _, body := range []io.ReadCloser{nil, http.NoBody} {
		r := middleware.NewReplay(upload(body, 0), 0)
		for range 3 {
			require.True(t, r.Replayable())
			got, err := r.Body()
			require.NoError(t, err)
			require.Equal(t, body, got)
		}
		r.Release()
	}
}

func TestReplayUsesGetBody(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "http://upstream.test/", strings.NewReader("question"))
	require.NoError(t, err)
	r := middleware.NewReplay(req, 0)
	require.True(t, r.Replayable())
	first, err := r.Body()
	require.NoError(t, err)
	require.Equal(t, req.Body, first, "the caller's body is the first attempt's")
	_, err = first.Read(make([]byte, 3))
	require.NoError(t, err)
	for range 2 {
		require.True(t, r.Replayable())
		require.Equal(t, "question", readAll(t, &r))
	}
	r.Release()

	t.Run("and gives its error", func(t *testing.T) {
		req.GetBody = func() (io.ReadCloser, error) { return nil, errBroken }
		r := middleware.NewReplay(req, 0)
		_, err := r.Body()
		require.NoError(t, err)
		_, err = r.Body()
		require.ErrorIs(t, err, errBroken)
	})
}

func TestReplayRecordsWhatHasNoGetBody(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	for _, length := range []int64{int64(len(content)), -1} {
		body := &countingBody{Reader: strings.NewReader(content)}
		r := middleware.NewReplay(upload(body, length), middleware.Bytes(len(content)))
		for range 3 {
			require.True(t, r.Replayable())
			require.Equal(t, content, readAll(t, &r), "an attempt after another")
		}
		require.Zero(t, body.closed.Load(), "there may be another attempt")
		r.Release()
		require.EqualValues(t, 1, body.closed.Load())
	}
}

func TestReplayGoesOnWhereTheAttemptBeforeStopped(t *testing.T) {
	body := &countingBody{Reader: iotest.OneByteReader(strings.NewReader("question"))}
	r := middleware.NewReplay(upload(body, -1), 64)
	for n := range 4 { // each attempt reads one byte more
		attempt, err := r.Body()
		require.NoError(t, err)
		part := make([]byte, n+1)
		_, err = io.ReadFull(attempt, part)
		require.NoError(t, err)
		require.Equal(t, "question"[:n+1], string(part))
		require.NoError(t, attempt.Close())
		_, err = attempt.Read(part)
		require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	}
	require.Equal(t, "question", readAll(t, &r))
	r.Release()
	require.EqualValues(t, 1, body.closed.Load())
}

func TestReplayOfABodyThatIsTooLong(t *testing.T) {
	t.Run("a length that is known is not recorded", func(t *testing.T) {
		body := &countingBody{Reader: strings.NewReader("question")}
		r := middleware.NewReplay(upload(body, 8), 7)
		require.True(t, r.Replayable(), "it can be sent once")
		first, err := r.Body()
		require.NoError(t, err)
		require.Same(t, body, first)
		require.False(t, r.Replayable())
		_, err = r.Body()
		require.ErrorIs(t, err, middleware.ErrNotReplayable)
		r.Release()
		require.Zero(t, body.closed.Load(), "the attempt closes what it was given")
	})
	t.Run("a length that is not known shows while it is sent", func(t *testing.T) {
		body := &countingBody{Reader: iotest.OneByteReader(strings.NewReader("question"))}
		r := middleware.NewReplay(upload(body, -1), 7)
		first, err := r.Body()
		require.NoError(t, err)
		beside, err := r.Body()
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, first, 7)
		require.NoError(t, err)
		require.True(t, r.Replayable(), "as far as can be known")
		rest, err := io.ReadAll(first)
		require.NoError(t, err)
		require.Equal(t, "n", string(rest), "the attempt that is under way goes on")
		require.False(t, r.Replayable())
		_, err = r.Body()
		require.ErrorIs(t, err, middleware.ErrNotReplayable)
		_, err = io.ReadAll(beside)
		require.ErrorIs(t, err, middleware.ErrNotReplayable)
		r.Release()
		require.NoError(t, first.Close())
		require.Zero(t, body.closed.Load())
		require.NoError(t, beside.Close())
		require.EqualValues(t, 1, body.closed.Load())
	})
	t.Run("nothing is recorded with a limit of nothing", func(t *testing.T) {
		r := middleware.NewReplay(upload(io.NopCloser(strings.NewReader("q")), -1), 0)
		require.Equal(t, "q", readAll(t, &r))
		require.False(t, r.Replayable())
	})
}

func TestAReplayKeepsItsMemoryFlat(t *testing.T) {
	const size = 1 << 30
	r := middleware.NewReplay(upload(io.NopCloser(io.LimitReader(lazy{}, size)), -1), 64*middleware.KiB)
	body, err := r.Body()
	require.NoError(t, err)
	buf := make([]byte, 32<<10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	total := 0
	for err == nil {
		var n int
		n, err = body.Read(buf)
		total += n
	}
	runtime.ReadMemStats(&after)
	require.Equal(t, io.EOF, err)
	require.Equal(t, size, total)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	_, err = r.Body()
	require.ErrorIs(t, err, middleware.ErrNotReplayable)
}

// lazy is a reader that gives whatever is in the buffer.
type lazy struct{}

func (lazy) Read(p []byte) (int, error) { return len(p), nil }

func TestReplayOfABodyThatFails(t *testing.T) {
	source := io.MultiReader(strings.NewReader("half"), failing{errBroken})
	r := middleware.NewReplay(upload(io.NopCloser(source), -1), 64)
	first, err := r.Body()
	require.NoError(t, err)
	beside, err := r.Body()
	require.NoError(t, err)
	for _, attempt := range []io.Reader{first, beside} {
		content, err := io.ReadAll(attempt)
		require.ErrorIs(t, err, errBroken)
		require.Equal(t, "half", string(content))
	}
	require.False(t, r.Replayable())
	_, err = r.Body()
	require.ErrorIs(t, err, middleware.ErrNotReplayable)
}

func TestReplayNeverReadsAhead(t *testing.T) {
	source := &counted{Reader: strings.NewReader(strings.Repeat("x", 1000))}
	r := middleware.NewReplay(upload(io.NopCloser(source), -1), middleware.KiB)
	require.Zero(t, source.n)
	body, err := r.Body()
	require.NoError(t, err)
	require.Zero(t, source.n)
	_, err = body.Read(make([]byte, 10))
	require.NoError(t, err)
	require.Equal(t, 10, source.n)
}

type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestReleaseClosesTheCallersBodyOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		use  func(t *testing.T, r *middleware.Replay, body *countingBody)
	}{
		{"without any attempt", func(_ *testing.T, r *middleware.Replay, _ *countingBody) { r.Release() }},
		{"after attempts that are closed, one of them twice", func(t *testing.T, r *middleware.Replay, _ *countingBody) {
			for range 2 {
				a, err := r.Body()
				require.NoError(t, err)
				require.NoError(t, a.Close())
				require.NoError(t, a.Close())
			}
			r.Release()
		}},
		{"before the last attempt is closed", func(t *testing.T, r *middleware.Replay, body *countingBody) {
			a, err := r.Body()
			require.NoError(t, err)
			b, err := r.Body()
			require.NoError(t, err)
			require.NoError(t, a.Close())
			r.Release()
			require.Zero(t, body.closed.Load())
			require.NoError(t, b.Close())
			require.NoError(t, b.Close())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &countingBody{Reader: strings.NewReader("question")}
			r := middleware.NewReplay(upload(body, -1), 64)
			tt.use(t, &r, body)
			require.EqualValues(t, 1, body.closed.Load())
		})
	}
	t.Run("without any attempt of a body that is not recorded", func(t *testing.T) {
		body := &countingBody{Reader: strings.NewReader("question")}
		r := middleware.NewReplay(upload(body, 8), 0)
		r.Release()
		require.EqualValues(t, 1, body.closed.Load())
	})
}

func TestCloseDoesNotWaitForAReadThatBlocks(t *testing.T) {
	source, sender := io.Pipe()
	entered := make(chan struct{})
	r := middleware.NewReplay(upload(struct {
		io.Reader
		io.Closer
	}{announcing{source, entered}, source}, -1), 64)
	first, err := r.Body()
	require.NoError(t, err)
	second, err := r.Body()
	require.NoError(t, err)
	errs := make(chan error, 2)
	go func() {
		_, err := first.Read(make([]byte, 10))
		errs <- err
	}()
	<-entered // the first holds the source now
	require.NoError(t, first.Close())
	go func() {
		_, err := second.Read(make([]byte, 10))
		errs <- err
	}()
	require.NoError(t, second.Close(), "though it may wait for its turn")
	r.Release()
	_, err = io.WriteString(sender, "late")
	require.ErrorIs(t, err, io.ErrClosedPipe, "the caller's body is closed")
	for range 2 {
		require.Error(t, <-errs)
	}
}

type announcing struct {
	io.Reader
	entered chan struct{}
}

func (a announcing) Read(p []byte) (int, error) {
	close(a.entered)
	return a.Reader.Read(p)
}

func TestAttemptsReadSideBySide(t *testing.T) {
	content := make([]byte, 4096)
	for i := range content {
		content[i] = byte(i % 251)
	}
	body := &countingBody{Reader: yielding{iotest.OneByteReader(bytes.NewReader(content))}}
	r := middleware.NewReplay(upload(body, -1), middleware.Bytes(len(content)))
	var readers sync.WaitGroup
	for i := range 8 {
		attempt, err := r.Body()
		require.NoError(t, err)
		readers.Go(func() {
			defer attempt.Close()
			got, err := io.ReadAll(iotest.DataErrReader(attempt))
			if i%4 == 3 { // and some leave
				return
			}
			if err != nil || !bytes.Equal(content, got) {
				t.Errorf("reader %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	r.Release()
	readers.Wait()
	require.EqualValues(t, 1, body.closed.Load())
}

// yielding lets others run in the middle of a Read.
type yielding struct{ io.Reader }

func (y yielding) Read(p []byte) (int, error) {
	n, err := y.Reader.Read(p)
	for range 3 {
		runtime.Gosched()
	}
	return n, err
}

// Whatever the order in which the attempts read, each gets a prefix of the
// source, and all of it unless the recording was given up.
func TestEveryAttemptReadsAPrefixOfTheSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "source")
		limit := rapid.IntRange(0, 250).Draw(t, "limit")
		body := &countingBody{Reader: iotest.DataErrReader(bytes.NewReader(source))}
		r := middleware.NewReplay(upload(body, -1), middleware.Bytes(limit))
		type attempt struct {
			io.ReadCloser
			got  []byte
			over bool
		}
		var attempts []*attempt
		released := false
		open := 0
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				if released {
					return
				}
				replayable := r.Replayable()
				b, err := r.Body()
				if replayable != (err == nil) || err != nil && !errors.Is(err, middleware.ErrNotReplayable) {
					t.Fatalf("replayable %v, Body: %v", replayable, err)
				}
				if err == nil {
					attempts = append(attempts, &attempt{ReadCloser: b})
					open++
				}
			},
			"read": func(t *rapid.T) {
				if len(attempts) == 0 {
					return
				}
				a := attempts[rapid.IntRange(0, len(attempts)-1).Draw(t, "attempt")]
				p := make([]byte, rapid.IntRange(1, 50).Draw(t, "size"))
				n, err := a.Read(p)
				a.got = append(a.got, p[:n]...)
				if a.over && (n > 0 || err == nil) {
					t.Fatalf("reads %d bytes, %v after Close", n, err)
				}
				if err == io.EOF && !bytes.Equal(a.got, source) {
					t.Fatalf("ends after %d of %d bytes", len(a.got), len(source))
				}
				if len(source) <= limit && err != nil && err != io.EOF && !a.over {
					t.Fatalf("fails within the limit: %v", err)
				}
			},
			"close": func(t *rapid.T) {
				if len(attempts) == 0 {
					return
				}
				a := attempts[rapid.IntRange(0, len(attempts)-1).Draw(t, "attempt")]
				if !a.over {
					open--
				}
				a.over = true
				_ = a.Close()
			},
			"release": func(*rapid.T) {
				if !released {
					r.Release()
				}
				released = true
			},
			"": func(t *rapid.T) {
				for _, a := range attempts {
					if !bytes.HasPrefix(source, a.got) {
						t.Fatalf("%q is no prefix of %q", a.got, source)
					}
				}
				want := int32(0)
				if released && open == 0 {
					want = 1
				}
				if got := body.closed.Load(); got != want {
					t.Fatalf("closed %d times; released %v, %d attempts open", got, released, open)
				}
			},
		})
	})
}

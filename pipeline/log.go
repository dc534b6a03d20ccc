package pipeline

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/headgate-go/headgate/middleware"
)

// logObserver writes events to a zap logger, at their level, one line each:
// the message is the kind, the fields are what is set.
type logObserver struct {
	log *zap.Logger
}

// lines is the logger for events and warnings: without caller and stack trace,
// which would be those of this package and nobody else's.
func lines(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zapcore.FatalLevel))
}

func (l logObserver) Observe(_ context.Context, e middleware.Event) {
	entry := l.log.Check(zapLevel(e.Level), e.Kind)
	if entry == nil {
		return
	}
	fields := make([]zap.Field, 0, 9)
	fields = append(fields, zap.String("stage", e.Stage))
	if e.Key != "" {
		fields = append(fields, zap.String("key", e.Key))
	}
	if e.Attempt != 0 {
		fields = append(fields, zap.Int("attempt", e.Attempt))
	}
	if e.Outcome.Verdict != 0 {
		fields = append(fields, zap.Stringer("verdict", e.Outcome.Verdict))
	}
	if e.Outcome.Status != 0 {
		fields = append(fields, zap.Int("status", e.Outcome.Status))
	}
	if e.Wait != 0 {
		fields = append(fields, zap.Duration("wait", e.Wait))
	}
	if e.Err != nil {
		fields = append(fields, zap.Error(e.Err))
	}
	for _, a := range e.Attrs {
		fields = append(fields, zap.Any(a.Key, a.Value.Resolve().Any()))
	}
	entry.Write(fields...)
}

func zapLevel(l slog.Level) zapcore.Level {
	switch {
	case l < slog.LevelInfo:
		return zapcore.DebugLevel
	case l < slog.LevelWarn:
		return zapcore.InfoLevel
	case l < slog.LevelError:
		return zapcore.WarnLevel
	default:
		return zapcore.ErrorLevel
	}
}

// observers tells several of an event.
type observers []middleware.Observer

func (os observers) Observe(ctx context.Context, e middleware.Event) {
	for _, o := range os {
		o.Observe(ctx, e)
	}
}

// observer is whom the stages tell; nil if nobody listens, so that they can
// save the trouble.
func (o *options) observer() middleware.Observer {
	all := o.observers
	if o.logger.Core().Enabled(zapcore.FatalLevel) {
		all = append(observers{logObserver{lines(o.logger)}}, all...)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

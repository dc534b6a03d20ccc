package pipeline

import (
	"context"
	"log/slog"
	"reflect"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/transport"
)

// baseID is the name of the base in events and reports.
const baseID = "transport"

// newTransport makes the pipeline's own base.
func newTransport(cfg *transport.Config, obs middleware.Observer) (*transport.Transport, error) {
	if obs == nil {
		return transport.New(baseSettings(cfg))
	}
	return transport.New(baseSettings(cfg), transport.WithEvents(func(e transport.Event) { obs.Observe(context.Background(), baseEvent(e)) }))
}

// baseSettings are the settings, or the defaults if there are none.
func baseSettings(cfg *transport.Config) transport.Config {
	if cfg == nil {
		return transport.DefaultConfig()
	}
	return *cfg
}

// notReloaded warns of each setting of the base that a reload would have to change.
func notReloaded(before, now *transport.Config) []Warning {
	a, b := reflect.ValueOf(baseSettings(before)), reflect.ValueOf(baseSettings(now))
	var all []Warning
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			all = append(all, Warning{
				Path:    baseID + "." + a.Type().Field(i).Tag.Get("yaml"),
				Message: "can't be reloaded: what it was at the beginning stays in use, until there is a new pipeline",
			})
		}
	}
	return all
}

// baseEvent is an event of the transport as the stages' are.
func baseEvent(e transport.Event) middleware.Event {
	event := middleware.Event{
		Stage: baseID, Kind: e.Kind, Key: e.Host, Err: e.Err,
		Level: slog.LevelDebug, // one for each connection is much
		Wait:  e.Resolve + e.Connect + e.Handshake,
	}
	switch e.Kind {
	case transport.EventConnected:
		event.Attrs = []slog.Attr{
			slog.String("addr", e.Addr), slog.String("protocol", e.Protocol), slog.Bool("warmed", e.Warmed),
			slog.Duration("resolve", e.Resolve), slog.Duration("connect", e.Connect), slog.Duration("handshake", e.Handshake),
		}
	case transport.EventFailed:
		event.Attrs = []slog.Attr{slog.Bool("warmed", e.Warmed)}
	case transport.EventRotated:
		event.Level = slog.LevelInfo
		event.Attrs = []slog.Attr{slog.String("reason", e.Reason), slog.Int("connections", e.Conns)}
	case transport.EventNotRotated:
		event.Level = slog.LevelWarn
		event.Attrs = []slog.Attr{slog.String("reason", e.Reason)}
	case transport.EventLookupFailed:
		event.Level = slog.LevelWarn
	}
	return event
}

// baseReport is a snapshot of the base, if it is one that keeps statistics.
func (p *Pipeline) baseReport() []StageReport {
	t, ok := p.base.(interface{ Stats() transport.Stats })
	if !ok {
		return nil
	}
	return []StageReport{{ID: baseID, Stats: t.Stats()}}
}

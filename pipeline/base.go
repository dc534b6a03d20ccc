package pipeline

import (
	"context"
	"log/slog"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/transport"
)

// baseID is the name of the base in events and reports.
const baseID = "transport"

// newTransport makes the pipeline's own base.
func newTransport(cfg *transport.Config, obs middleware.Observer) (*transport.Transport, error) {
	settings := transport.DefaultConfig()
	if cfg != nil {
		settings = *cfg
	}
	if obs == nil {
		return transport.New(settings)
	}
	return transport.New(settings, transport.WithEvents(func(e transport.Event) { obs.Observe(context.Background(), baseEvent(e)) }))
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

package config

import (
	"cmp"
	"io"
	"log/slog"
	"net"
	"strconv"

	"github.com/missingkbs/missingkbs/internal/logging"
)

// Asked is the setting about what is remembered of people's questions.
type Asked struct {
	For string `name:"asked-for" env:"MISSINGKBS_ASKED_FOR" default:"2160h" help:"How long the bot remembers which software each person asked about, to rank it first in their searches; 0 disables this (${default})."`
}

// Audit is the setting about which actions are written to the audit.
type Audit struct {
	Questions string `name:"audit-questions" env:"MISSINGKBS_AUDIT_QUESTIONS" default:"on" placeholder:"on|off" help:"Audit questions, too; off records only refusals, shares, device look-ups and changes (${default})."`
}

// read returns true if questions are written to the audit.
func (s Audit) read(e *Errors) (questions bool) {
	return e.OneOf("MISSINGKBS_AUDIT_QUESTIONS", s.Questions, "on", "off") == "on"
}

// Alerts is the setting about the channel for alerts to operators.
type Alerts struct {
	Channel string `name:"ops-channel" env:"MISSINGKBS_OPS_CHANNEL" unset:"none" placeholder:"C…" help:"Channel for alerts to operators, for example about a missing permission, paused digests or a used-up quota."`
}

// read returns the ID of the channel, empty for none.
func (s Alerts) read(e *Errors) string {
	ids := e.ids("MISSINGKBS_OPS_CHANNEL", s.Channel, "CG", "the id of a channel such as C024BE91L: in Slack, click the name of the channel; its id is at the end of the About tab")
	if len(ids) > 1 {
		e.Add("MISSINGKBS_OPS_CHANNEL", "takes one channel")
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// AdminServer are the settings of the HTTP server for operators: health checks, metrics and profiles.
type AdminServer struct {
	Addr     string `name:"http-addr" env:"HTTP_ADDR" default:"127.0.0.1:8080" blank:"off" placeholder:"ADDRESS" help:"Address that serves /healthz, /readyz and /metrics; empty serves nothing (${default})."`
	Profiles string `name:"pprof" env:"MISSINGKBS_PPROF" default:"false" placeholder:"BOOL" help:"Also serve Go's profiles there, at /debug/pprof/ (${default})."`
}

// AdminAddress is where the HTTP server for operators listens.
type AdminAddress struct {
	Addr     string // host and port; empty for no server
	Profiles bool
}

func (s AdminServer) Read(e *Errors) AdminAddress {
	a := AdminAddress{Addr: s.Addr, Profiles: e.OneOf("MISSINGKBS_PPROF", s.Profiles, "true", "false") == "true"}
	if a.Addr == "" {
		return a
	}
	host, port, err := net.SplitHostPort(a.Addr)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil {
		e.Add("HTTP_ADDR", "takes a host and a port, such as 127.0.0.1:8080, or :8080 for all addresses of this machine; empty switches it off")
	}
	a.Addr = net.JoinHostPort(host, strconv.FormatUint(n, 10))
	return a
}

// Log are the settings of the log.
type Log struct {
	Level  string `name:"log-level" env:"LOG_LEVEL" unset:"info for serve, warn for other commands" placeholder:"LEVEL" help:"Log level: debug, info, warn or error; by default info for serve and warn for commands on a terminal."`
	Format string `name:"log-format" env:"LOG_FORMAT" unset:"text on a terminal, json elsewhere" placeholder:"FORMAT" help:"Log format: text or json; by default text on a terminal and json elsewhere."`
}

// Logger makes the log that the settings describe.
func (s Log) Logger(e *Errors, w io.Writer) *slog.Logger {
	level := s.ReadLevel(e)
	return logging.New(w, s.ReadFormat(e), level)
}

// ReadLevel reads the lowest level that is logged.
func (s Log) ReadLevel(e *Errors) slog.Level {
	var level slog.Level
	// After an error the level stays at its zero value, info.
	_ = level.UnmarshalText([]byte(e.OneOf("LOG_LEVEL", cmp.Or(s.Level, "info"), "debug", "info", "warn", "error")))
	return level
}

// ReadFormat reads the format of the log, empty for the default.
func (s Log) ReadFormat(e *Errors) string {
	if s.Format == "" {
		return ""
	}
	return e.OneOf("LOG_FORMAT", s.Format, logging.Text, logging.JSON)
}

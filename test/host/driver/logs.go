package driver

import (
	"fmt"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// Line is one record as it reached the host's logger; SFTPGo, too, turns every value into text.
type Line struct {
	Logger  string            `json:"logger"`
	Level   string            `json:"level"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

type sink struct {
	lock  sync.Mutex
	lines []Line
}

func (s *sink) Accept(name string, level hclog.Level, message string, args ...interface{}) {
	fields := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		fields[fmt.Sprint(args[i])] = fmt.Sprint(args[i+1])
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.lines = append(s.lines, Line{name, level.String(), message, fields})
}

func (s *sink) all() []Line {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]Line{}, s.lines...)
}

func (s *sink) has(message string) bool {
	for _, line := range s.all() {
		if line.Message == message {
			return true
		}
	}
	return false
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

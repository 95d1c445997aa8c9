// Package driver is a go-plugin host that other programs steer: one JSON command a line on stdin, one JSON
// result a line on stdout. It starts and calls plugins the way SFTPGo does, so that a test written in another
// language can assert what a real host sees.
package driver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Role is a plugin type as an SDK describes it: what the package of that type in the SDK exports.
type Role struct {
	Handshake plugin.HandshakeConfig
	Plugins   map[string]plugin.Plugin
}

// Options is what differs between releases of go-plugin and of SFTPGo's SDK.
type Options struct {
	// Roles are the plugin types that the SDK has, by their name, which is also that of the plugin in Plugins.
	Roles map[string]Role
	// Configure sets what the driver's own, oldest go-plugin does not know; may be nil.
	Configure func(*plugin.ClientConfig)
	// Commands adds operations by name; each gets the whole command and returns what its result carries.
	Commands map[string]func(command []byte) (any, error)
}

type envelope struct {
	ID int    `json:"id"`
	Op string `json:"op"`
}

type result struct {
	ID    int    `json:"id"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

// Outcome is how one RPC ended: a gRPC status as the application sees it.
type Outcome struct {
	IP      string `json:"ip,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Output is what the client's method returned beside the error.
	Output []any `json:"output,omitempty"`
}

func outcomeOf(err error) Outcome {
	if err == nil {
		return Outcome{Code: codes.OK.String()}
	}
	return Outcome{Code: status.Code(err).String(), Message: status.Convert(err).Message()}
}

// Run answers commands until stdin ends, then kills every plugin it started. Commands run concurrently; a
// result carries the id of its command.
func Run(options Options) {
	host := newHost(options)
	var writing sync.Mutex
	out := json.NewEncoder(os.Stdout)
	answer := func(r result) {
		writing.Lock()
		defer writing.Unlock()
		if err := out.Encode(r); err != nil {
			os.Exit(1)
		}
	}

	var running sync.WaitGroup
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "driver: cannot read stdin:", err)
			break
		}
		var command envelope
		if err := json.Unmarshal(line, &command); err != nil {
			answer(result{Error: "not a command: " + err.Error()})
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			value, err := host.do(command.Op, line)
			if err != nil {
				answer(result{ID: command.ID, Error: err.Error()})
				return
			}
			answer(result{ID: command.ID, Value: value})
		}()
	}
	host.killAll()
	running.Wait()
}

package driver

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/go-plugin"
)

type running struct {
	client   *plugin.Client
	protocol plugin.ClientProtocol
	api      any
	logs     *sink
}

type host struct {
	options Options
	lock    sync.Mutex
	plugins map[string]*running
}

func newHost(options Options) *host {
	return &host{options: options, plugins: map[string]*running{}}
}

func (h *host) do(op string, command []byte) (any, error) {
	switch op {
	case "launch":
		return with(command, h.launch)
	case "checkIP":
		return with(command, h.checkIP)
	case "burst":
		return with(command, h.burst)
	case "bench":
		return with(command, h.bench)
	case "reload":
		return with(command, h.reload)
	case "call":
		return with(command, h.call)
	case "methods":
		return with(command, h.methods)
	case "health":
		return with(command, h.health)
	case "exited":
		return with(command, func(c named) (any, error) {
			p, err := h.find(c.Name)
			if err != nil {
				return nil, err
			}
			return p.client.Exited(), nil
		})
	case "kill":
		return with(command, h.kill)
	case "logs":
		return with(command, func(c named) (any, error) {
			p, err := h.find(c.Name)
			if err != nil {
				return nil, err
			}
			return p.logs.all(), nil
		})
	case "versions":
		return versions(), nil
	}
	if extra, ok := h.options.Commands[op]; ok {
		return extra(command)
	}
	return nil, fmt.Errorf("no operation %q", op)
}

type named struct {
	Name string `json:"name"`
}

func with[C any](command []byte, run func(C) (any, error)) (any, error) {
	var c C
	if err := json.Unmarshal(command, &c); err != nil {
		return nil, err
	}
	return run(c)
}

func (h *host) find(name string) (*running, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if p, ok := h.plugins[name]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("no plugin was launched as %q", name)
}

func (h *host) killAll() {
	h.lock.Lock()
	defer h.lock.Unlock()
	for _, p := range h.plugins {
		p.client.Kill()
	}
}

// versions tells which Go and which modules this host was built from, as the binary itself says.
func versions() map[string]string {
	found := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/hashicorp/go-plugin", "github.com/sftpgo/sdk", "google.golang.org/grpc":
			found[dep.Path] = dep.Version
		}
	}
	return found
}

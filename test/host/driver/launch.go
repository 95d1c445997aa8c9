package driver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

type launch struct {
	Name string `json:"name"`
	// Type is SFTPGo's name of the plugin type; it decides the magic cookie and the client.
	Type string   `json:"type"`
	Cmd  string   `json:"cmd"`
	Args []string `json:"args"`
	// Env is all the plugin gets besides go-plugin's own variables.
	Env      []string `json:"env"`
	AutoMTLS bool     `json:"autoMtls"`
	// SHA256 is hexadecimal; empty means that the file is not checked.
	SHA256 string `json:"sha256"`
}

type launched struct {
	Pid     int    `json:"pid"`
	StartMs int64  `json:"startMs"`
	Version int    `json:"version"`
	Network string `json:"network"`
	Address string `json:"address"`
}

func (h *host) launch(c launch) (any, error) {
	role, ok := h.options.Roles[c.Type]
	if !ok {
		return nil, fmt.Errorf("this SDK has no plugins of type %q", c.Type)
	}
	killFirstRunning(c.Cmd)
	cmd := exec.Command(c.Cmd, c.Args...)
	cmd.Env = append([]string{}, c.Env...)
	logs := &sink{}
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "plugins", Level: hclog.Trace, Output: discard{}})
	logger.RegisterSink(logs)
	config := &plugin.ClientConfig{
		HandshakeConfig:  role.Handshake,
		Plugins:          role.Plugins,
		Cmd:              cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         c.AutoMTLS,
		Managed:          false,
		Logger:           logger,
	}
	if c.SHA256 != "" {
		sum, err := hex.DecodeString(c.SHA256)
		if err != nil {
			return nil, err
		}
		config.SecureConfig = &plugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
	}
	if h.options.Configure != nil {
		h.options.Configure(config)
	}

	client := plugin.NewClient(config)
	started := time.Now()
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, err
	}
	api, err := protocol.Dispense(c.Type)
	if err != nil {
		client.Kill()
		return nil, err
	}
	took := time.Since(started)
	if err := h.keep(c.Name, &running{client, protocol, api, logs}); err != nil {
		client.Kill()
		return nil, err
	}
	reattach := client.ReattachConfig()
	return launched{
		Pid:     cmd.Process.Pid,
		StartMs: took.Milliseconds(),
		Version: client.NegotiatedVersion(),
		Network: reattach.Addr.Network(),
		Address: reattach.Addr.String(),
	}, nil
}

func (h *host) keep(name string, p *running) error {
	h.lock.Lock()
	defer h.lock.Unlock()
	if _, taken := h.plugins[name]; taken {
		return fmt.Errorf("%q is running already", name)
	}
	h.plugins[name] = p
	return nil
}

type killed struct {
	KillMs int64 `json:"killMs"`
	// Forced: the host lost patience and sent SIGKILL.
	Forced bool `json:"forced"`
}

// kill stops a plugin as SFTPGo does at its own end. Its logs can still be read.
func (h *host) kill(c named) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	p.client.Kill()
	return killed{KillMs: time.Since(started).Milliseconds(), Forced: p.logs.has("plugin failed to exit gracefully")}, nil
}

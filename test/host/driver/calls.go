package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// checkIP asks an IP filter. The first SDKs that have one do not pass the protocol on.
func checkIP(client any, ip, protocol string) (Outcome, error) {
	var err error
	switch filter := client.(type) {
	case interface {
		CheckIP(ip, protocol string) error
	}:
		err = filter.CheckIP(ip, protocol)
	case interface{ CheckIP(ip string) error }:
		err = filter.CheckIP(ip)
	default:
		return Outcome{}, fmt.Errorf("%T is no client of an IP filter", client)
	}
	outcome := outcomeOf(err)
	outcome.IP = ip
	return outcome, nil
}

type check struct {
	Name     string `json:"name"`
	IP       string `json:"ip"`
	Protocol string `json:"protocol"`
}

func (h *host) checkIP(c check) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	return checkIP(p.api, c.IP, c.Protocol)
}

type burst struct {
	Name     string   `json:"name"`
	IPs      []string `json:"ips"`
	Protocol string   `json:"protocol"`
}

// burst asks about every address at the same moment and tells each outcome, in the order of the addresses.
func (h *host) burst(c burst) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(c.IPs))
	errs := make([]error, len(c.IPs))
	gate := make(chan struct{})
	var calls sync.WaitGroup
	for i, ip := range c.IPs {
		calls.Add(1)
		go func(i int, ip string) {
			defer calls.Done()
			<-gate
			outcomes[i], errs[i] = checkIP(p.api, ip, c.Protocol)
		}(i, ip)
	}
	close(gate)
	calls.Wait()
	return outcomes, errors.Join(errs...)
}

func (h *host) reload(c named) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	filter, ok := p.api.(interface{ Reload() error })
	if !ok {
		return nil, fmt.Errorf("%T is no client of an IP filter", p.api)
	}
	return outcomeOf(filter.Reload()), nil
}

// health asks for the status of the service "plugin". go-plugin's own Ping only tells whether the RPC worked.
func (h *host) health(c named) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	grpcClient, ok := p.protocol.(*plugin.GRPCClient)
	if !ok {
		return nil, fmt.Errorf("%T is not a gRPC client", p.protocol)
	}
	if err := grpcClient.Ping(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	request := &healthpb.HealthCheckRequest{Service: plugin.GRPCServiceName}
	answer, err := healthpb.NewHealthClient(grpcClient.Conn).Check(ctx, request)
	if err != nil {
		return nil, err
	}
	return answer.Status.String(), nil
}

// Command bench is an IP filter as one would be written in Go: it asks an HTTPS address with net/http, unsigned. The
// bench compares the adapter with it.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/sftpgo/sdk/plugin/ipfilter"
)

// asker asks whoever answers at url; every answer but 200 denies.
type asker struct {
	url    string
	client *http.Client
}

func (a *asker) CheckIP(ip, protocol string) error {
	question, err := json.Marshal(map[string]string{"ip": ip, "protocol": protocol})
	if err != nil {
		return err
	}
	answer, err := a.client.Post(a.url, "application/json", bytes.NewReader(question))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// read to its end, or the connection is not kept
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func (a *asker) Reload() error { return nil }

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench URL CA.pem")
	}
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no certificate in ", os.Args[2])
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: 256,
		MaxConnsPerHost:     256,
	}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: ipfilter.Handshake,
		Plugins: map[string]plugin.Plugin{
			ipfilter.PluginName: &ipfilter.Plugin{Impl: &asker{url: os.Args[1], client: client}},
		},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}

// Command bench is an IP filter as one would be written in Go that asks the same function over net/http: each call is
// signed, and the signature of each answer is checked. It knows no lock, no evidence, no cache, no retry and no breaker.
// The bench compares the adapter with it.
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

// asker asks the function at url; every answer but 200 denies.
type asker struct {
	url    string
	keys   keys
	client *http.Client
}

func (a *asker) CheckIP(ip, protocol string) error {
	question, err := json.Marshal(map[string]string{"ip": ip, "protocol": protocol})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, a.url, bytes.NewReader(question))
	if err != nil {
		return err
	}
	if err := a.keys.sign(request, question); err != nil {
		return err
	}
	answer, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// read to its end, or the connection is not kept
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if err := a.keys.verify(request, answer, body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func (a *asker) Reload() error { return nil }

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: bench URL CA.pem ADAPTER-KEY.json FUNCTION@STAGE FUNCTION-KEY-X")
	}
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no certificate in ", os.Args[2])
	}
	keys, err := readKeys(os.Args[3], os.Args[4], os.Args[5])
	if err != nil {
		log.Fatal(err)
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
			ipfilter.PluginName: &ipfilter.Plugin{Impl: &asker{url: os.Args[1], keys: keys, client: client}},
		},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}

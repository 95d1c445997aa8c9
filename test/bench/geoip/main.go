// Command geoip is an IP filter as the official geoipfilter is one: each question is a look-up in a database on this
// machine. The bench compares the adapter with it.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"

	"github.com/hashicorp/go-plugin"
	"github.com/oschwald/maxminddb-golang"
	"github.com/sftpgo/sdk/plugin/ipfilter"
)

// gate lets some countries in, and nobody else.
type gate struct {
	database *maxminddb.Reader
	allowed  map[string]bool
}

func (g *gate) CheckIP(ip, _ string) error {
	address := net.ParseIP(ip)
	if address == nil {
		return fmt.Errorf("%q is no address", ip)
	}
	var record struct {
		Country string `maxminddb:"country_code"`
	}
	if err := g.database.Lookup(address, &record); err != nil {
		return err
	}
	if !g.allowed[record.Country] {
		return fmt.Errorf("country %q", record.Country)
	}
	return nil
}

func (g *gate) Reload() error { return nil }

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: geoip DATABASE.mmdb COUNTRY,COUNTRY")
	}
	database, err := maxminddb.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, country := range strings.Split(os.Args[2], ",") {
		allowed[country] = true
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: ipfilter.Handshake,
		Plugins: map[string]plugin.Plugin{
			ipfilter.PluginName: &ipfilter.Plugin{Impl: &gate{database: database, allowed: allowed}},
		},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}

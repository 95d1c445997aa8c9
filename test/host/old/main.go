// Command old is a host as SFTPGo 2.3 was: go-plugin 1.4 and the first SDK with IP filters, whose CheckIP
// knows no protocol.
package main

import (
	"os"

	"github.com/hashicorp/go-plugin"
	"github.com/sftpgo/sdk/plugin/ipfilter"

	"sftpgo-plugin-serverless.test/host/driver"
)

func main() {
	// This release always hands its own environment to the plugin and has no switch for it.
	os.Clearenv()
	driver.Run(driver.Options{
		Handshake: ipfilter.Handshake,
		Plugins:   ipfilter.PluginMap,
		Dispense:  ipfilter.PluginName,
		Configure: func(*plugin.ClientConfig) {},
		CheckIP:   func(client any, ip, _ string) error { return client.(ipfilter.Filter).CheckIP(ip) },
		Reload:    func(client any) error { return client.(ipfilter.Filter).Reload() },
	})
}

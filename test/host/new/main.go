// Command new is a host as the newest SFTPGo is.
package main

import (
	"github.com/hashicorp/go-plugin"
	"github.com/sftpgo/sdk/plugin/ipfilter"

	"sftpgo-plugin-serverless.test/host/driver"
)

func main() {
	driver.Run(driver.Options{
		Handshake: ipfilter.Handshake,
		Plugins:   ipfilter.PluginMap,
		Dispense:  ipfilter.PluginName,
		Configure: func(config *plugin.ClientConfig) { config.SkipHostEnv = true },
		CheckIP: func(client any, ip, protocol string) error {
			return client.(ipfilter.Filter).CheckIP(ip, protocol)
		},
		Reload:   func(client any) error { return client.(ipfilter.Filter).Reload() },
		Commands: map[string]func([]byte) (any, error){"sftp": sftp},
	})
}

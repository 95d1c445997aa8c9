// Command new is a host as the newest SFTPGo is.
package main

import (
	"github.com/hashicorp/go-plugin"
	"github.com/sftpgo/sdk/plugin/auth"
	"github.com/sftpgo/sdk/plugin/eventsearcher"
	"github.com/sftpgo/sdk/plugin/ipfilter"
	"github.com/sftpgo/sdk/plugin/kms"
	"github.com/sftpgo/sdk/plugin/notifier"

	"sftpgo-plugin-serverless.test/host/driver"
)

func main() {
	driver.Run(driver.Options{
		Roles: map[string]driver.Role{
			auth.PluginName:          {Handshake: auth.Handshake, Plugins: auth.PluginMap},
			eventsearcher.PluginName: {Handshake: eventsearcher.Handshake, Plugins: eventsearcher.PluginMap},
			ipfilter.PluginName:      {Handshake: ipfilter.Handshake, Plugins: ipfilter.PluginMap},
			kms.PluginName:           {Handshake: kms.Handshake, Plugins: kms.PluginMap},
			notifier.PluginName:      {Handshake: notifier.Handshake, Plugins: notifier.PluginMap},
		},
		Configure: func(config *plugin.ClientConfig) { config.SkipHostEnv = true },
		Commands:  map[string]func([]byte) (any, error){"sftp": sftpLogin, "user": user, "read": read},
	})
}

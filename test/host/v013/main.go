// Command v013 is a host as SFTPGo 2.5.0 is: the last SDK that pages by exclude_ids.
package main

import (
	"os"

	"github.com/sftpgo/sdk/plugin/auth"
	"github.com/sftpgo/sdk/plugin/eventsearcher"
	"github.com/sftpgo/sdk/plugin/ipfilter"
	"github.com/sftpgo/sdk/plugin/kms"
	"github.com/sftpgo/sdk/plugin/metadata"
	"github.com/sftpgo/sdk/plugin/notifier"

	"sftpgo-plugin-serverless.test/host/driver"
)

func main() {
	// These hosts always hand their own environment to the plugin, and their go-plugin has no switch for it.
	os.Clearenv()
	driver.Run(driver.Options{
		Roles: map[string]driver.Role{
			auth.PluginName:          {Handshake: auth.Handshake, Plugins: auth.PluginMap},
			eventsearcher.PluginName: {Handshake: eventsearcher.Handshake, Plugins: eventsearcher.PluginMap},
			ipfilter.PluginName:      {Handshake: ipfilter.Handshake, Plugins: ipfilter.PluginMap},
			kms.PluginName:           {Handshake: kms.Handshake, Plugins: kms.PluginMap},
			metadata.PluginName:      {Handshake: metadata.Handshake, Plugins: metadata.PluginMap},
			notifier.PluginName:      {Handshake: notifier.Handshake, Plugins: notifier.PluginMap},
		},
	})
}

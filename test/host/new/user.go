package main

import (
	"encoding/json"

	"github.com/sftpgo/sdk"
)

type userCommand struct {
	// JSON is an answer of an auth plugin, byte for byte.
	JSON []byte `json:"json"`
}

// user tells what Go's encoding/json, and so SFTPGo, reads in the answer of an auth plugin.
func user(raw []byte) (any, error) {
	var c userCommand
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	var read sdk.User
	if err := json.Unmarshal(c.JSON, &read); err != nil {
		return nil, err
	}
	return read, nil
}

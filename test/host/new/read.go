package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/sftpgo/sdk"
)

type readCommand struct {
	// Texts are read one by one, byte for byte.
	Texts [][]byte `json:"texts"`
	// As "user" reads SFTPGo's user, as "any" whatever it is.
	As string `json:"as"`
}

type reading struct {
	// JSON is what was read, written again: whole numbers keep their digits.
	JSON  string `json:"json,omitempty"`
	Error string `json:"error,omitempty"`
}

// read tells what Go's encoding/json reads in many texts.
func read(raw []byte) (any, error) {
	var c readCommand
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	readings := make([]reading, len(c.Texts))
	for i, text := range c.Texts {
		value, err := readOne(text, c.As)
		if err != nil {
			readings[i].Error = err.Error()
			continue
		}
		written, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		readings[i].JSON = string(written)
	}
	return readings, nil
}

func readOne(text []byte, as string) (any, error) {
	if as == "user" {
		var user sdk.User
		return &user, json.Unmarshal(text, &user)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

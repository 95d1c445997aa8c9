package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

type sftpCommand struct {
	Addr string `json:"addr"`
	From string `json:"from"`
	User string `json:"user"`
	// Password, PrivateKey (PEM) and Answers (to a dialogue's questions, in order): one of them.
	Password   string   `json:"password"`
	PrivateKey string   `json:"privateKey"`
	Answers    []string `json:"answers"`
	// Put is written to Path, which is then read back; empty: nothing is transferred.
	Put  string `json:"put"`
	Path string `json:"path"`
}

type sftpResult struct {
	// Reached is the last step that worked: none, tcp, ssh (with the login), sftp, file.
	Reached string `json:"reached"`
	Message string `json:"message"`
	// Asked are the questions of a dialogue.
	Asked []string `json:"asked,omitempty"`
	// Got is what was read back.
	Got string `json:"got,omitempty"`
}

// sftpLogin connects from a given local address, logs in, opens the SFTP subsystem, and writes and reads a file
// there. Being turned away is a result, not an error.
func sftpLogin(raw []byte) (any, error) {
	var c sftpCommand
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	from := net.ParseIP(c.From)
	if from == nil {
		return nil, fmt.Errorf("%q is no IP address", c.From)
	}
	var result sftpResult
	method, err := c.method(&result.Asked)
	if err != nil {
		return nil, err
	}
	result.Reached, err = c.session(from, method, &result.Got)
	if err != nil {
		result.Message = err.Error()
	}
	return result, nil
}

func (c sftpCommand) method(asked *[]string) (ssh.AuthMethod, error) {
	if c.PrivateKey != "" {
		signer, err := ssh.ParsePrivateKey([]byte(c.PrivateKey))
		if err != nil {
			return nil, err
		}
		return ssh.PublicKeys(signer), nil
	}
	if c.Answers == nil {
		return ssh.Password(c.Password), nil
	}
	next := c.Answers
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		*asked = append(*asked, questions...)
		if len(questions) > len(next) {
			return nil, fmt.Errorf("no answer to %q", questions)
		}
		answers := next[:len(questions)]
		next = next[len(questions):]
		return answers, nil
	}), nil
}

func (c sftpCommand) session(from net.IP, method ssh.AuthMethod, got *string) (string, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second}
	conn, err := dialer.Dial("tcp", c.Addr)
	if err != nil {
		return "none", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return "tcp", err
	}
	transport, channels, requests, err := ssh.NewClientConn(conn, c.Addr, &ssh.ClientConfig{
		User: c.User,
		Auth: []ssh.AuthMethod{method},
		// The server under test was given a new host key a moment ago.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return "tcp", err
	}
	client := ssh.NewClient(transport, channels, requests)
	defer client.Close()
	files, err := sftp.NewClient(client)
	if err != nil {
		return "ssh", err
	}
	defer files.Close()
	if c.Put == "" {
		return "sftp", nil
	}
	*got, err = writeAndRead(files, c.Path, c.Put)
	if err != nil {
		return "sftp", err
	}
	return "file", nil
}

func writeAndRead(files *sftp.Client, path, text string) (string, error) {
	written, err := files.Create(path)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(written, text); err != nil {
		return "", err
	}
	if err := written.Close(); err != nil {
		return "", err
	}
	read, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer read.Close()
	got, err := io.ReadAll(read)
	return string(got), err
}

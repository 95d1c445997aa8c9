package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

type sftpCommand struct {
	Addr     string `json:"addr"`
	From     string `json:"from"`
	User     string `json:"user"`
	Password string `json:"password"`
}

type sftpResult struct {
	// Reached is the last step that worked: none, tcp, ssh (with the login), sftp.
	Reached string `json:"reached"`
	Message string `json:"message"`
}

// sftp connects from a given local address, logs in by password and opens the SFTP subsystem. Being turned
// away is a result, not an error.
func sftp(raw []byte) (any, error) {
	var c sftpCommand
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	from := net.ParseIP(c.From)
	if from == nil {
		return nil, fmt.Errorf("%q is no IP address", c.From)
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second}
	conn, err := dialer.Dial("tcp", c.Addr)
	if err != nil {
		return sftpResult{"none", err.Error()}, nil
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	transport, channels, requests, err := ssh.NewClientConn(conn, c.Addr, &ssh.ClientConfig{
		User: c.User,
		Auth: []ssh.AuthMethod{ssh.Password(c.Password)},
		// The server under test was given a new host key a moment ago.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return sftpResult{"tcp", err.Error()}, nil
	}
	client := ssh.NewClient(transport, channels, requests)
	defer client.Close()
	if err := openSubsystem(client); err != nil {
		return sftpResult{"ssh", err.Error()}, nil
	}
	return sftpResult{"sftp", ""}, nil
}

// openSubsystem exchanges SSH_FXP_INIT and SSH_FXP_VERSION (draft-ietf-secsh-filexfer-02, section 4).
func openSubsystem(client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		return err
	}
	const typeInit, typeVersion, version = 1, 2, 3
	if _, err := in.Write([]byte{0, 0, 0, 5, typeInit, 0, 0, 0, version}); err != nil {
		return err
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(out, head); err != nil {
		return err
	}
	if head[4] != typeVersion || binary.BigEndian.Uint32(head[5:]) != version {
		return errors.New("the server did not answer with SSH_FXP_VERSION 3")
	}
	return nil
}

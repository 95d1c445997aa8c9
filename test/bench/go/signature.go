package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"
)

// keys sign requests to one function and check its answers: RFC 9421, docs/other-languages.md.
type keys struct {
	private      ed25519.PrivateKey
	keyid        string
	functionName string
	function     ed25519.PublicKey
}

// readKeys takes a key file as `keys create` writes it, the function as name@stage, and x of its public key.
func readKeys(adapterKeyFile, functionName, functionX string) (keys, error) {
	text, err := os.ReadFile(adapterKeyFile)
	if err != nil {
		return keys{}, err
	}
	var jwk struct{ X, D string }
	if err := json.Unmarshal(text, &jwk); err != nil {
		return keys{}, err
	}
	seed, err := base64.RawURLEncoding.DecodeString(jwk.D)
	if err != nil {
		return keys{}, err
	}
	function, err := base64.RawURLEncoding.DecodeString(functionX)
	if err != nil {
		return keys{}, err
	}
	// RFC 7638 of an OKP key
	thumbprint := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + jwk.X + `"}`))
	return keys{
		private:      ed25519.NewKeyFromSeed(seed),
		keyid:        base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		functionName: functionName,
		function:     function,
	}, nil
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// pluginFields are the names of the plugin-* headers, sorted.
func pluginFields(header http.Header) []string {
	var names []string
	for name := range header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "plugin-") {
			names = append(names, lower)
		}
	}
	sort.Strings(names)
	return names
}

func (k *keys) sign(request *http.Request, body []byte) error {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Content-Type":             "application/json",
		"Accept-Encoding":          "identity",
		"Cache-Control":            "no-store, no-transform",
		"Connect-Protocol-Version": "1",
		"Connect-Timeout-Ms":       "19750",
		"Plugin-Function":          k.functionName,
		"Plugin-Call-Id":           hex.EncodeToString(random[:16]),
		"Content-Digest":           digestOf(body),
	} {
		request.Header.Set(name, value)
	}
	fields := append([]string{"content-type", "content-digest", "connect-protocol-version", "connect-timeout-ms"},
		pluginFields(request.Header)...)
	now := time.Now().Unix()
	input := fmt.Sprintf(`("@method" "@target-uri" "%s");created=%d;expires=%d;nonce="%s";keyid="%s";tag="sftpgo-plugin-call"`,
		strings.Join(fields, `" "`), now, now+30, base64.RawURLEncoding.EncodeToString(random[16:]), k.keyid)
	var base strings.Builder
	fmt.Fprintf(&base, "\"@method\": %s\n\"@target-uri\": %s\n", request.Method, request.URL)
	for _, name := range fields {
		fmt.Fprintf(&base, "%q: %s\n", name, request.Header.Get(name))
	}
	fmt.Fprintf(&base, "\"@signature-params\": %s", input)
	signature := ed25519.Sign(k.private, []byte(base.String()))
	request.Header.Set("Signature-Input", "sig="+input)
	request.Header.Set("Signature", "sig=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return nil
}

func (k *keys) verify(request *http.Request, answer *http.Response, body []byte) error {
	fields := append([]string{"content-type", "content-digest"}, pluginFields(answer.Header)...)
	list := fmt.Sprintf(`sig=("@status" "%s" "@method";req "@target-uri";req "content-digest";req "signature";req;key="sig")`,
		strings.Join(fields, `" "`))
	input := answer.Header.Get("Signature-Input")
	if !strings.HasPrefix(input, list) || answer.Header.Get("Content-Digest") != digestOf(body) {
		return errors.New("the answer is not covered by its signature")
	}
	member := func(header http.Header) string { return strings.TrimPrefix(header.Get("Signature"), "sig=") }
	signature, err := base64.StdEncoding.DecodeString(strings.Trim(member(answer.Header), ":"))
	if err != nil {
		return err
	}
	var base strings.Builder
	fmt.Fprintf(&base, "\"@status\": %d\n", answer.StatusCode)
	for _, name := range fields {
		fmt.Fprintf(&base, "%q: %s\n", name, answer.Header.Get(name))
	}
	fmt.Fprintf(&base, "\"@method\";req: %s\n\"@target-uri\";req: %s\n", request.Method, request.URL)
	fmt.Fprintf(&base, "\"content-digest\";req: %s\n", request.Header.Get("Content-Digest"))
	fmt.Fprintf(&base, "\"signature\";req;key=\"sig\": %s\n", member(request.Header))
	fmt.Fprintf(&base, "\"@signature-params\": %s", strings.TrimPrefix(input, "sig="))
	if !ed25519.Verify(k.function, []byte(base.String()), signature) {
		return errors.New("the signature of the answer does not fit")
	}
	return nil
}

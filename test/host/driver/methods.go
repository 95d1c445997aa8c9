package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

type call struct {
	Name string `json:"name"`
	// Method is the SDK's own name, as NotifyFsEvent for the RPC SendFsEvent.
	Method string `json:"method"`
	// Args are the method's parameters in order, each as encoding/json reads its type: []byte as base64.
	Args []json.RawMessage `json:"args"`
}

// call runs any method of the SDK's client. Reflection keeps the signatures of every SDK out of the driver: two
// releases differ in parameters, in fields of their structs and in what they return.
func (h *host) call(c call) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	method := reflect.ValueOf(p.api).MethodByName(c.Method)
	if !method.IsValid() {
		return nil, fmt.Errorf("%T has no method %q", p.api, c.Method)
	}
	signature := method.Type()
	if len(c.Args) != signature.NumIn() {
		return nil, fmt.Errorf("%s takes %d arguments, not %d", c.Method, signature.NumIn(), len(c.Args))
	}
	in := make([]reflect.Value, len(c.Args))
	for i, raw := range c.Args {
		value := reflect.New(signature.In(i))
		// a misspelt field would go unnoticed and be missing on the wire
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(value.Interface()); err != nil {
			return nil, fmt.Errorf("argument %d of %s: %w", i, c.Method, err)
		}
		in[i] = value.Elem()
	}
	out := method.Call(in)
	last := len(out) - 1
	failed, _ := out[last].Interface().(error)
	outcome := outcomeOf(failed)
	if failed == nil {
		for _, value := range out[:last] {
			outcome.Output = append(outcome.Output, value.Interface())
		}
	}
	return outcome, nil
}

// methods names the methods of the SDK's client, one for each RPC.
func (h *host) methods(c named) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	client := reflect.TypeOf(p.api)
	names := []string{}
	for i := 0; i < client.NumMethod(); i++ {
		names = append(names, client.Method(i).Name)
	}
	return names, nil
}

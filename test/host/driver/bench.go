package driver

import (
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type bench struct {
	Name     string `json:"name"`
	IP       string `json:"ip"`
	Protocol string `json:"protocol"`
	// IPs are asked about one after the other, by all callers together, instead of IP.
	IPs []string `json:"ips"`
	// Distinct: IP is a prefix, and each call asks about an address of its own: "2001:db8::" + "1:2".
	Distinct bool `json:"distinct"`
	// Decrypt, with the plugin of a kms; IP and Protocol are not used then.
	Decrypt *decryption `json:"decrypt"`
	// Calls are made by each of Parallel callers, one after the other.
	Calls    int `json:"calls"`
	Parallel int `json:"parallel"`
	// next counts the addresses of IPs.
	next *atomic.Uint32
}

type decryption struct {
	Payload        string `json:"payload"`
	Key            string `json:"key"`
	AdditionalData string `json:"additionalData"`
	Mode           int    `json:"mode"`
	URL            string `json:"url"`
	MasterKey      string `json:"masterKey"`
}

type benched struct {
	P50Micros float64 `json:"p50Micros"`
	P99Micros float64 `json:"p99Micros"`
	PerSecond float64 `json:"perSecond"`
	// Codes counts how the calls ended.
	Codes map[string]int `json:"codes"`
}

// asked counts the distinct addresses of this process: none is asked about twice.
var asked atomic.Uint32

// once makes one of the calls of a bench.
func (c *bench) once(api any) (Outcome, error) {
	if d := c.Decrypt; d != nil {
		kms, ok := api.(interface {
			Decrypt(payload, key, additionalData string, mode int, url, masterKey string) (string, error)
		})
		if !ok {
			return Outcome{}, fmt.Errorf("%T is no client of a kms", api)
		}
		_, err := kms.Decrypt(d.Payload, d.Key, d.AdditionalData, d.Mode, d.URL, d.MasterKey)
		return outcomeOf(err), nil
	}
	ip := c.IP
	if c.Distinct {
		n := asked.Add(1)
		ip = fmt.Sprintf("%s%x:%x", c.IP, n>>16, n&0xffff)
	} else if len(c.IPs) > 0 {
		ip = c.IPs[int(c.next.Add(1)-1)%len(c.IPs)]
	}
	return checkIP(api, ip, c.Protocol)
}

// bench makes the same call again and again, as SFTPGo does for a browser's requests.
func (h *host) bench(c bench) (any, error) {
	p, err := h.find(c.Name)
	if err != nil {
		return nil, err
	}
	c.next = &atomic.Uint32{}
	took := make([][]time.Duration, c.Parallel)
	codes := make([]map[string]int, c.Parallel)
	errs := make([]error, c.Parallel)
	var callers sync.WaitGroup
	started := time.Now()
	for i := 0; i < c.Parallel; i++ {
		callers.Add(1)
		go func(i int) {
			defer callers.Done()
			took[i] = make([]time.Duration, 0, c.Calls)
			codes[i] = map[string]int{}
			for n := 0; n < c.Calls; n++ {
				begun := time.Now()
				outcome, err := c.once(p.api)
				if err != nil {
					errs[i] = err
					return
				}
				took[i] = append(took[i], time.Since(begun))
				codes[i][outcome.Code]++
			}
		}(i)
	}
	callers.Wait()
	elapsed := time.Since(started)
	result := benched{Codes: map[string]int{}}
	var all []time.Duration
	for i := range took {
		if errs[i] != nil {
			return nil, errs[i]
		}
		all = append(all, took[i]...)
		for code, count := range codes[i] {
			result.Codes[code] += count
		}
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	if len(all) > 0 {
		result.P50Micros = micros(all[len(all)/2])
		result.P99Micros = micros(all[len(all)*99/100])
		result.PerSecond = float64(len(all)) / elapsed.Seconds()
	}
	return result, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

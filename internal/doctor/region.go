package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// regionTries is how often each host is measured. The best counts, because the first includes the DNS lookup.
const regionTries = 3

// A region counts as nearer if it saves at least this time and takes at most this part of it.
const (
	regionSaves = 30 * time.Millisecond
	regionShare = 0.7
)

// defenderRegion finds a region of the public cloud that is nearer than the configured host. It sends no token.
func (c *Checker) defenderRegion(ctx context.Context) []Finding {
	cloud := c.values.Defender.Cloud
	if c.hasError("DEFENDER_") || c.Settings.Defender.APIURL != "" || cloud.Name != api.PublicCloud().Name {
		return skip("only the public cloud has regions to choose from")
	}
	hosts := map[string]string{}
	for _, region := range api.Regions() {
		if near, err := api.LookupCloud(cloud.Name, region); err == nil {
			hosts[region] = near.Endpoint
		}
	}
	return nearest(ctx, newHTTPClient(), cloud.Endpoint, hosts)
}

// nearest compares the latency of the configured host with those of the regions. It sends no token.
func nearest(ctx context.Context, client *http.Client, used string, hosts map[string]string) []Finding {
	times := map[string]time.Duration{}
	var mu sync.Mutex
	var all sync.WaitGroup
	measure := func(name, address string) {
		all.Go(func() {
			best := time.Duration(0)
			for range regionTries {
				v, err := get(ctx, client, address+"/api/Software?$top=1")
				if err != nil {
					return // it cannot be chosen
				}
				if best == 0 || v.latency < best {
					best = v.latency
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times[name] = best
		})
	}
	measure("", used)
	for name, address := range hosts {
		if address != used {
			measure(name, address)
		}
	}
	all.Wait()
	host := hostOf(used)
	own, ok := times[""]
	if !ok {
		return skip(host + " did not answer")
	}
	delete(times, "")
	best := ""
	for name, took := range times {
		if best == "" || took < times[best] {
			best = name
		}
	}
	if saved := own - times[best]; best != "" && saved > regionSaves && float64(times[best]) < regionShare*float64(own) {
		return warn(fmt.Sprintf("%s answers in %s, the region %s in %s", host, millis(own), best, millis(times[best])), "set DEFENDER_REGION="+best)
	}
	return pass(fmt.Sprintf("%s answers in %s; no region is clearly nearer", host, millis(own)))
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/missingkbs/missingkbs/internal/config"
)

// proxies reports which hosts are reached through a proxy, and checks the file of root certificates.
func (c *Checker) proxies(context.Context) []Finding {
	if names := config.UnreadableProxies(c.Env); len(names) > 0 {
		return warn(strings.Join(names, ", ")+" cannot be read, so no proxy is used", config.ProxyCure)
	}
	text, failed := c.routes()
	if failed != nil {
		return failed
	}
	return c.rootCertificates(text)
}

// routes says which of the hosts are reached through a proxy. Its password is left out.
func (c *Checker) routes() (text string, failed []Finding) {
	setting := func(name string) string {
		_, value := config.ProxySetting(c.Env, name)
		return value
	}
	proxyOf := (&httpproxy.Config{HTTPProxy: setting("HTTP_PROXY"), HTTPSProxy: setting("HTTPS_PROXY"), NoProxy: setting("NO_PROXY")}).ProxyFunc()
	var direct, via []string
	addresses := []string{c.slackAddress(), c.values.Defender.Cloud.Authority, c.values.Defender.Cloud.Endpoint}
	if f, _ := c.fetcher(); f != nil {
		addresses = append(append(addresses, f.MSRC()), f.KEV()...)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue // the check of the settings reports it
		}
		proxy, err := proxyOf(u)
		switch {
		case err != nil:
			failed = fail("the proxy variable for "+u.Host+" holds no address", "HTTPS_PROXY takes an address such as http://proxy.example:3128")
		case proxy == nil:
			direct = append(direct, u.Host)
		default:
			via = append(via, fmt.Sprintf("%s via %s://%s", u.Host, proxy.Scheme, proxy.Host))
		}
	}
	if len(via) == 0 {
		return "no proxy", failed
	}
	text = strings.Join(slices.Compact(via), ", ")
	if len(direct) > 0 {
		text += "; directly: " + strings.Join(slices.Compact(direct), ", ")
	}
	return text, failed
}

// rootCertificates checks the file of SSL_CERT_FILE. If it is usable, the finding begins with text.
func (c *Checker) rootCertificates(text string) []Finding {
	path, _ := c.Env("SSL_CERT_FILE")
	if path == "" {
		return pass(text)
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return fail("SSL_CERT_FILE names a file that cannot be read: "+err.Error(), "name a readable file of root certificates (PEM), or remove the variable")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fail("SSL_CERT_FILE names "+path+", which contains no certificate", "it takes root certificates as PEM (-----BEGIN CERTIFICATE-----)")
	}
	return pass(text + "; root certificates of " + path)
}

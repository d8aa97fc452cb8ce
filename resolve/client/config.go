package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of the configuration.
const (
	defaultResolvConf = "/etc/resolv.conf"
	defaultTimeout    = 5 * time.Second
	defaultSends      = 4       // of one query to one server; they fit in the default timeout
	maxResolvConf     = 1 << 16 // octets
	maxServers        = 16
	maxConfTimeout    = 30 // seconds, as resolv.conf(5) caps it
	maxConfAttempts   = 5  // as resolv.conf(5) caps it
	confAttempts      = 2  // resolv.conf(5) default
)

// ConfigError tells why no server can be asked.
type ConfigError struct {
	Source string // the file's path, or the server as it was given
	Reason string
	Hint   string
	Err    error // the cause, if another error is one
}

// Error quotes the source, so it is safe to show.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("client: %s: %s", strconv.Quote(shorten(e.Source)), e.Reason)
}

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// endpoint is a parsed server.
type endpoint struct {
	transport resolve.Transport
	label     string         // for Servers
	addr      string         // host:port, or the URL of a DoH server
	ip        netip.AddrPort // of addr, when the host is an address
	verify    string         // TLS: the name in the certificate
}

const serverHint = "give an address such as 192.0.2.53, [2001:db8::1]:53, tls://dns.example or https://dns.example/dns-query"

// parseServer reads one server as a person writes it.
func parseServer(text string) (endpoint, error) {
	fail := func(reason string) (endpoint, error) {
		return endpoint{}, &ConfigError{Source: text, Reason: reason, Hint: serverHint}
	}
	s := strings.TrimSpace(text)
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "udp", s
	}
	e := endpoint{}
	port := "53"
	switch strings.ToLower(scheme) {
	case "udp":
		e.transport = resolve.UDP
	case "tcp":
		e.transport = resolve.TCP
	case "tls":
		e.transport, port = resolve.TLS, "853" // RFC 7858, Section 3.1
		rest, e.verify, _ = strings.Cut(rest, "#")
	case "https":
		return parseDoH(s)
	case "http":
		return fail("DNS over HTTP without TLS is not supported") // RFC 8484, Section 5
	default:
		return fail("unknown scheme")
	}
	host := strings.TrimSuffix(rest, "/")
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fail("the port is not a number from 1 to 65535")
	}
	if !validHost(host) {
		return fail("the host is neither an address nor a name")
	}
	e.addr = net.JoinHostPort(host, port)
	if ip, err := netip.ParseAddrPort(e.addr); err == nil {
		e.ip = netip.AddrPortFrom(ip.Addr().Unmap(), ip.Port())
		e.addr = e.ip.String()
	}
	if e.label = e.addr; e.transport != resolve.UDP {
		e.label = string(e.transport) + "://" + e.addr
	}
	if e.verify != "" {
		if !validHost(e.verify) {
			return fail("what follows # is not the name in a certificate")
		}
		e.label += "#" + e.verify
	} else if e.transport == resolve.TLS {
		e.verify, _, _ = strings.Cut(host, "%")
	}
	return e, nil
}

func parseDoH(s string) (endpoint, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || !validHost(u.Hostname()) {
		return endpoint{}, &ConfigError{Source: s, Reason: "not a usable https URL", Hint: serverHint, Err: err}
	}
	if u.Path == "" {
		u.Path = "/dns-query" // the path that servers have settled on
	}
	u.Fragment = ""
	return endpoint{transport: resolve.HTTPS, label: u.String(), addr: u.String()}, nil
}

// validHost accepts an address or a host name that cannot be a mistyped address.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	n, err := resolve.ParseName(host)
	if err != nil || n.IsRoot() {
		return false
	}
	last := n.Suffix(1).String()
	return strings.Trim(last, "0123456789") != ""
}

// resolvConf is what matters here of a resolv.conf(5).
type resolvConf struct {
	servers  []string
	timeout  int // seconds for one try; 0: not given
	attempts int // 0: not given
}

// readResolvConf reads the file. A file that cannot be read or names no server
// is an error: asking some public resolver instead would tell a stranger which
// domains are audited, and miss what the system's own resolver says.
func readResolvConf(path string) (resolvConf, error) {
	const hint = "name the servers to ask"
	f, err := os.Open(path)
	if err != nil {
		reason := "the resolver configuration cannot be read"
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			reason += ": " + pe.Err.Error()
		}
		return resolvConf{}, &ConfigError{Source: path, Reason: reason, Hint: hint, Err: err}
	}
	defer f.Close()
	c, err := parseResolvConf(io.LimitReader(f, maxResolvConf))
	if err != nil {
		return c, &ConfigError{Source: path, Reason: "the resolver configuration cannot be read: " + err.Error(), Hint: hint, Err: err}
	}
	if len(c.servers) == 0 {
		return c, &ConfigError{Source: path, Reason: "no usable nameserver line", Hint: hint}
	}
	return c, nil
}

func parseResolvConf(r io.Reader) (resolvConf, error) {
	var c resolvConf
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		line := sc.Text()
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			// A zone (fe80::1%eth0) is part of the address. What is no address is
			// skipped, as the C library does.
			if a, err := netip.ParseAddr(f[1]); err == nil && len(c.servers) < maxServers {
				c.servers = append(c.servers, net.JoinHostPort(a.String(), "53"))
			}
		case "options":
			for _, o := range f[1:] {
				k, v, _ := strings.Cut(o, ":")
				n, err := strconv.Atoi(v)
				if err != nil || n < 1 {
					continue
				}
				switch k {
				case "timeout":
					c.timeout = min(n, maxConfTimeout)
				case "attempts":
					c.attempts = min(n, maxConfAttempts)
				}
			}
		}
	}
	return c, sc.Err()
}

// lookupTime is the time that the file allows for one lookup; 0 if it is silent.
func (c resolvConf) lookupTime() time.Duration {
	if c.timeout == 0 {
		return 0
	}
	n := c.attempts
	if n == 0 {
		n = confAttempts
	}
	return time.Duration(min(c.timeout*n, maxConfTimeout)) * time.Second
}

// shorten keeps error texts readable when foreign text is huge.
func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

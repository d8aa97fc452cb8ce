package client

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestParseServer(t *testing.T) {
	for in, want := range map[string]endpoint{
		"192.0.2.53":                   {transport: resolve.UDP, label: "192.0.2.53:53", addr: "192.0.2.53:53"},
		" 192.0.2.53:5353 ":            {transport: resolve.UDP, label: "192.0.2.53:5353", addr: "192.0.2.53:5353"},
		"2001:db8::1":                  {transport: resolve.UDP, label: "[2001:db8::1]:53", addr: "[2001:db8::1]:53"},
		"[2001:db8::1]":                {transport: resolve.UDP, label: "[2001:db8::1]:53", addr: "[2001:db8::1]:53"},
		"[2001:db8::1]:54":             {transport: resolve.UDP, label: "[2001:db8::1]:54", addr: "[2001:db8::1]:54"},
		"[fe80::1%eth0]:53":            {transport: resolve.UDP, label: "[fe80::1%eth0]:53", addr: "[fe80::1%eth0]:53"},
		"udp://192.0.2.53":             {transport: resolve.UDP, label: "192.0.2.53:53", addr: "192.0.2.53:53"},
		"tcp://dns.example":            {transport: resolve.TCP, label: "tcp://dns.example:53", addr: "dns.example:53"},
		"TLS://dns.example":            {transport: resolve.TLS, label: "tls://dns.example:853", addr: "dns.example:853", verify: "dns.example"},
		"tls://192.0.2.53":             {transport: resolve.TLS, label: "tls://192.0.2.53:853", addr: "192.0.2.53:853", verify: "192.0.2.53"},
		"tls://192.0.2.53#dns.example": {transport: resolve.TLS, label: "tls://192.0.2.53:853#dns.example", addr: "192.0.2.53:853", verify: "dns.example"},
		"https://dns.example":          {transport: resolve.HTTPS, label: "https://dns.example/dns-query", addr: "https://dns.example/dns-query"},
		"https://dns.example:444/q":    {transport: resolve.HTTPS, label: "https://dns.example:444/q", addr: "https://dns.example:444/q"},
	} {
		got, err := parseServer(in)
		got.ip = want.ip
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", "192.0.2", "192.0.2.256", "1.2.3.4:0", "1.2.3.4:99999", "1.2.3.4:dns", "ftp://1.2.3.4", "http://dns.example/",
		"https://", "https://user:pw@dns.example/", "tls://", "tls://192.0.2.1#a b", "a b", "http://\x00", "8.8.8.8,1.1.1.1", "user@example.org", "tcp://dns.example/x"} {
		_, err := parseServer(in)
		e, ok := errors.AsType[*ConfigError](err)
		if !ok || e.Hint == "" || strings.ContainsRune(err.Error(), 0) {
			t.Errorf("%q: %v", in, err)
		}
		if _, err := New(Options{Servers: []string{"192.0.2.1", in}}); !errors.As(err, &e) {
			t.Errorf("New accepts %q", in)
		}
	}
}

func TestResolvConf(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, text string
		servers    []string
		timeout    time.Duration
		sends      int
	}{
		{"plain", "# comment\nsearch example.org\nnameserver 192.0.2.1\nnameserver 2001:db8::1 # two\nnameserver fe80::1%lo0\n",
			[]string{"192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%lo0]:53"}, defaultTimeout, defaultSends},
		{"options", "options ndots:2 timeout:2 attempts:3 rotate\nnameserver\t192.0.2.1\r\n", []string{"192.0.2.1:53"}, 6 * time.Second, 3},
		{"caps", "options timeout:99999 attempts:99\nnameserver 192.0.2.1", []string{"192.0.2.1:53"}, 30 * time.Second, 5},
		{"nonsense", "options timeout:x attempts:-1 timeout:\nnameserver dns.example\nnameserver 192.0.2.1", []string{"192.0.2.1:53"}, defaultTimeout, defaultSends},
		{"none", "search example.org\nnameserver\n;nameserver 192.0.2.1\n", nil, 0, 0},
		{"empty", "", nil, 0, 0},
		{"binary", strings.Repeat("\x00\xff", 70_000), nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := New(Options{ResolvConf: path})
			if tt.servers == nil {
				e, ok := errors.AsType[*ConfigError](err)
				if !ok || e.Source != path || e.Hint == "" || c != nil {
					t.Fatalf("%v, %v", c, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := c.Servers(); !slices.Equal(got, tt.servers) || c.opt.Timeout != tt.timeout || c.sends != tt.sends {
				t.Errorf("%q, %v, %d", got, c.opt.Timeout, c.sends)
			}
		})
	}
	_, err := New(Options{ResolvConf: filepath.Join(dir, "missing")})
	if e, ok := errors.AsType[*ConfigError](err); !ok || !errors.Is(err, os.ErrNotExist) || e.Hint == "" {
		t.Errorf("missing file: %v", err)
	}
	c, err := New(Options{ResolvConf: filepath.Join(dir, "options"), Timeout: time.Second})
	if err != nil || c.opt.Timeout != time.Second {
		t.Errorf("the option does not win over the file: %v", err)
	}
	c.Close()
}

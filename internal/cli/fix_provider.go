package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// providerFlags say who writes to the zone.
type providerFlags struct {
	server   string
	keyFile  string
	provider string
	program  string
}

// libdnsCommand is the program that speaks with the DNS providers of libdns.
const libdnsCommand = "mailcheck-libdns"

// tsigEnv holds a TSIG key as algorithm:name:secret.
const tsigEnv = "MAILCHECK_TSIG"

func (f *providerFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.server, "dns-server", "", "primary `server` that takes dynamic updates (RFC 2136), such as 192.0.2.53 or 192.0.2.53:5353")
	fs.StringVar(&f.keyFile, "tsig-key", "", "`file` with the TSIG key, mode 0600, as tsig-keygen writes it (or "+tsigEnv+"=algorithm:name:secret in the environment)")
	fs.StringVar(&f.provider, "provider", "", "DNS `provider` whose API is used: "+libdnsCommand+" is run for it, and reads its credentials from the environment")
	fs.StringVar(&f.program, "exec", "", "`command` that reads and writes the zone: JSON on its standard input and output (docs/guide/exec.md)")
}

func (f *providerFlags) open(s Streams) (apply.Provider, error) {
	n := 0
	for _, w := range []string{f.server, f.provider, f.program} {
		if w != "" {
			n++
		}
	}
	switch {
	case n == 0:
		return nil, usage("give --dns-server, --provider or --exec; or enter the records by hand: mailcheck fix export", "it is not said who writes to the zone")
	case n > 1:
		return nil, usage("give one of them", "--dns-server, --provider and --exec exclude each other")
	case f.keyFile != "" && f.server == "":
		return nil, usage("name the server with --dns-server", "--tsig-key is for dynamic updates")
	case f.server != "":
		k, err := f.tsig(s)
		if err != nil {
			return nil, err
		}
		if k == (apply.TSIG{}) {
			fmt.Fprintln(s.Err, "mailcheck: warning: no TSIG key: the server has to trust this machine's address")
		}
		return &apply.RFC2136{Server: f.server, Key: k}, nil
	case f.provider != "":
		path, err := exec.LookPath(libdnsCommand)
		if err != nil {
			return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("%s is not on the PATH", libdnsCommand), Hint: "go install github.com/mailcheck-go/mailcheck/cmd/mailcheck-libdns@latest, or use --exec"}
		}
		return &apply.Exec{Command: []string{path, f.provider}, Stderr: &escaped{s.Err}}, nil
	}
	return &apply.Exec{Command: strings.Fields(f.program), Stderr: &escaped{s.Err}}, nil
}

// maxKeyFile bounds a TSIG key file.
const maxKeyFile = 64 << 10

var (
	keyName1   = regexp.MustCompile(`(?i)\bkey\s+"?([^\s"{;]+)"?\s*\{`)
	keyAlgo1   = regexp.MustCompile(`(?i)\balgorithm\s+"?([^\s";]+)"?\s*;`)
	keySecret1 = regexp.MustCompile(`(?i)\bsecret\s+"?([^\s";]+)"?\s*;`)
)

func (f *providerFlags) tsig(s Streams) (apply.TSIG, error) {
	if f.keyFile == "" {
		if v := s.Getenv(tsigEnv); v != "" {
			return tsigOf(v, tsigEnv)
		}
		return apply.TSIG{}, nil
	}
	file, err := os.Open(f.keyFile)
	if err != nil {
		return apply.TSIG{}, usage("name a readable file", "--tsig-key: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return apply.TSIG{}, usage("chmod 600 "+f.keyFile, "--tsig-key: %s can be read by others (mode %04o)", f.keyFile, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return apply.TSIG{}, usage("name a readable file", "--tsig-key: %w", err)
	}
	name, secret := keyName1.FindSubmatch(text), keySecret1.FindSubmatch(text)
	if name == nil || secret == nil {
		return tsigOf(strings.TrimSpace(string(text)), f.keyFile)
	}
	algorithm := "hmac-sha256"
	if a := keyAlgo1.FindSubmatch(text); a != nil {
		algorithm = string(a[1])
	}
	return tsigOf(algorithm+":"+string(name[1])+":"+string(secret[1]), f.keyFile)
}

// tsigOf reads algorithm:name:secret. Errors do not quote it: it is a secret.
func tsigOf(text, where string) (apply.TSIG, error) {
	parts := strings.Split(text, ":")
	if len(parts) == 2 {
		parts = append([]string{"hmac-sha256"}, parts...)
	}
	if len(parts) != 3 || parts[2] == "" {
		return apply.TSIG{}, usage("tsig-keygen writes one", "%s holds no TSIG key: neither a key clause nor algorithm:name:secret", where)
	}
	n, err := resolve.ParseName(parts[1])
	if err != nil {
		return apply.TSIG{}, usage("tsig-keygen writes one", "%s: the key's name: %w", where, err)
	}
	algorithm := strings.ToLower(strings.TrimSuffix(parts[0], "."))
	switch algorithm {
	case "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512":
	default:
		return apply.TSIG{}, usage("use hmac-sha256", "%s: algorithm %q is not supported", where, algorithm)
	}
	return apply.TSIG{Name: n, Algorithm: algorithm, Secret: parts[2]}, nil
}

// escaped passes on what another program says to a person.
type escaped struct{ w io.Writer }

func (e *escaped) Write(b []byte) (int, error) {
	_, err := io.WriteString(e.w, safe.Lines(string(b)))
	return len(b), err
}

// readPlan reads a plan from a file, or standard input.
func readPlan(s Streams, path string) ([]byte, error) {
	in := s.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			hint := "mailcheck fix plan DOMAIN --out plan.json makes one"
			if !errors.Is(err, fs.ErrNotExist) {
				hint = "name a readable file"
			}
			return nil, usage(hint, "%w", err)
		}
		defer f.Close()
		in = f
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(in, 16<<20)); err != nil {
		return nil, usage("name a readable file", "%s: %w", path, err)
	}
	return b.Bytes(), nil
}

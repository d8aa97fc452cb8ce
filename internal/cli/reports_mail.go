package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

// mailFlags say how to log in to a mail server, and what to do with mails.
type mailFlags struct {
	passwordEnv, passwordFile, passwordCommand, tokenCommand string

	after    string
	caFile   string
	insecure bool
	stall    time.Duration

	// Of the archive that is open when a folder is read.
	reader archive.Reader
	temp   string
}

func (f *mailFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.passwordEnv, "password-env", "", "environment `variable` with the password of the mail server")
	fs.StringVar(&f.passwordFile, "password-file", "", "`file` with the password in its first line")
	fs.StringVar(&f.passwordCommand, "password-command", "", "shell `command` that prints the password")
	fs.StringVar(&f.tokenCommand, "token-command", "", "shell `command` that prints an OAuth 2.0 access token (XOAUTH2, OAUTHBEARER)")
	fs.StringVar(&f.after, "after", "keep", "what to do with a mail whose reports are in the archive: keep, seen, flag, move:FOLDER or delete; one that was rejected stays")
	fs.StringVar(&f.caFile, "ca-file", "", "PEM `file` with the certificates to trust rather than the system's")
	fs.BoolVar(&f.insecure, "insecure", false, "send the password without TLS if the server of an imap:// URL offers none")
	fs.DurationVar(&f.stall, "mail-timeout", mailbox.DefaultStall, "time after which a mail server that says nothing is given up")
}

func (f *mailFlags) check(cmd *cobra.Command) error {
	var ways []string
	for _, w := range []string{"password-env", "password-file", "password-command", "token-command"} {
		if v := cmd.Flags().Lookup(w); v != nil && v.Value.String() != "" {
			ways = append(ways, "--"+w)
		}
	}
	if len(ways) > 1 {
		return usage("keep one of them", "%s exclude each other", strings.Join(ways, " and "))
	}
	if _, err := mailbox.ParseAfter(f.after); err != nil {
		return usage("for example --after move:Archive", "--after: %w", err)
	}
	if f.stall <= 0 {
		return usage("for example --mail-timeout 1m", "--mail-timeout must be positive")
	}
	return nil
}

func isMailURL(arg string) bool {
	lower := strings.ToLower(arg)
	return strings.HasPrefix(lower, "imaps:") || strings.HasPrefix(lower, "imap:")
}

// mailSource makes a source of a URL.
func (f *mailFlags) mailSource(s Streams, arg string) (importSource, error) {
	a, err := mailbox.ParseURL(arg)
	if err != nil {
		return importSource{}, usage("for example imaps://dmarc@imap.example.org/INBOX --password-file secret", "%w", err)
	}
	opt := mailbox.Options{Plain: f.insecure, Stall: f.stall}
	switch {
	case f.tokenCommand != "":
		opt.Token = func(ctx context.Context) (string, error) { return runSecret(ctx, s, f.tokenCommand) }
	case f.passwordCommand != "":
		opt.Password = func(ctx context.Context) (string, error) { return runSecret(ctx, s, f.passwordCommand) }
	case f.passwordFile != "":
		opt.Password = func(context.Context) (string, error) { return readSecret(f.passwordFile) }
	case f.passwordEnv != "":
		opt.Password = func(context.Context) (string, error) {
			if v := s.Getenv(f.passwordEnv); v != "" {
				return v, nil
			}
			return "", fmt.Errorf("the environment has no %s", f.passwordEnv)
		}
	default:
		return importSource{}, usage("give --password-file, --password-env, --password-command or --token-command", "no password for %s", a)
	}
	if f.caFile != "" {
		if opt.TLS, err = trust(f.caFile); err != nil {
			return importSource{}, err
		}
	}
	after, err := mailbox.ParseAfter(f.after)
	if err != nil {
		return importSource{}, usage("for example --after move:Archive", "--after: %w", err)
	}
	src := mailbox.NewSource(mailbox.SourceOptions{
		Name: a.String(), Folder: a.Folder, After: after, TempDir: f.temp,
		Open: func(ctx context.Context) (mailbox.Mailbox, error) { return mailbox.Dial(ctx, a, opt) },
		Cursor: func(ctx context.Context, name string) (archive.Cursor, error) {
			return f.reader.Cursor(ctx, name)
		},
	})
	return importSource{name: a.String(), inputs: src.Inputs, wait: src.Wait, close: func() { src.Close() }}, nil
}

func trust(path string) (*tls.Config, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("name a readable PEM file", "--ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usage("name a PEM file", "--ca-file: %s holds no certificate", path)
	}
	return &tls.Config{RootCAs: pool}, nil
}

const (
	maxSecret     = 64 << 10
	secretTimeout = time.Minute
)

// readSecret reads the first line of a file.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxSecret))
	if err != nil {
		return "", err
	}
	return firstLine(b), nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSuffix(line, "\r")
}

// runSecret runs a command of the user's and takes the first line it prints.
func runSecret(ctx context.Context, s Streams, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	shell := []string{"/bin/sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], command)...)
	cmd.Stdout, cmd.Stderr = &out, s.Err
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.New("it takes too long")
		}
		return "", fmt.Errorf("the command for the password or token: %w", err)
	}
	return firstLine(out.Bytes()), nil
}
